"""``make dev``: its settings load, and the toolbar's addresses exist beside the site's."""

import os
import subprocess
import sys

import pytest

from tests.places import ROOT

ASKED = (
    "import django; django.setup();"
    "from django.core.management import call_command; call_command('check');"
    "from django.urls import reverse; print(reverse('djdt:render_panel'), reverse('visits'))"
)


@pytest.mark.slow
def test_settings_and_urls_of_development_load(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    environment |= {"DJANGO_SETTINGS_MODULE": "dermascan.settings.development", "DERMASCAN_DATA_DIR": str(tmp_path)}
    outcome = subprocess.run(
        [sys.executable, "-c", ASKED], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert outcome.stdout.split()[-2:] == ["/__debug__/render_panel/", "/visits/"]
