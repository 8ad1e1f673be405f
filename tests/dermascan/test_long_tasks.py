"""Long tasks on Redis are not delivered twice, and short tasks do not wait for them."""

import json
import os
import subprocess
import sys

import pytest

from tests.places import ROOT

pytestmark = pytest.mark.slow

ASK = """
import json, django
django.setup()
from dermascan.celery import app
app.loader.import_default_modules()
limits = {name: task.time_limit or app.conf.task_time_limit for name, task in app.tasks.items()
          if not name.startswith("celery.")}
queues = {name: app.amqp.router.route({}, name)["queue"].name for name in limits}
print(json.dumps([limits, queues, app.conf.broker_transport_options]))
"""


def asked_with(**environment):
    kept = {name: value for name, value in os.environ.items() if name not in {"CELERY_BROKER_URL", "REDIS_URL"}}
    ended = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={**kept, **environment, "DJANGO_SETTINGS_MODULE": "dermascan.settings.local"},
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(ended.stdout.splitlines()[-1])


def test_redis_does_not_redeliver_a_task_that_may_still_run(tmp_path):
    limits, _queues, options = asked_with(REDIS_URL="redis://localhost:6379/0", DERMASCAN_DATA_DIR=str(tmp_path))
    assert options["visibility_timeout"] > max(limits.values())


def test_long_tasks_have_their_own_queue(tmp_path):
    limits, queues, _options = asked_with(DERMASCAN_DATA_DIR=str(tmp_path))
    assert {queues[name] for name, limit in limits.items() if limit > 120} == {"long"}
    assert {queues[name] for name, limit in limits.items() if limit <= 120} == {"celery"}
