"""Workers on the health check and the operator's page. For restarts see tests/deploy/test_run.py."""

import logging
import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone

from dermascan.celery import app
from dermascan.heartbeats import beat, delete_heartbeat
from dermascan.models import WorkerHeartbeat
from dermascan.tasks import forget_old_workers
from tests import factories

pytestmark = pytest.mark.django_db
QUEUES = ("celery", "long", "schedule")


@pytest.fixture
def needs_workers() -> Iterator[None]:
    before = app.conf.task_always_eager
    app.conf.update(task_always_eager=False)
    yield
    app.conf.update(task_always_eager=before)


@pytest.fixture
def all_beat(needs_workers):
    for queue in QUEUES:
        beat(name=f"{queue}@clinic", queue=queue)


def status(client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/api/v1/status/")
    return answer.status_code, answer.json()["checks"]["workers"]


def heard(queue: str, **ago: float) -> None:
    WorkerHeartbeat.objects.filter(queue=queue).update(heard_at=timezone.now() - timedelta(**ago))


def test_eager_tasks_need_no_worker(client):
    assert status(client) == (200, {"status": "ok", "alive": 0, "lost": []})


def test_an_installation_without_workers_fails(client, needs_workers):
    assert status(client) == (503, {"status": "failing", "alive": 0, "lost": list(QUEUES)})


def test_it_is_healthy_when_all_workers_send_heartbeats(client, all_beat):
    assert status(client) == (200, {"status": "ok", "alive": 3, "lost": []})


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("ago", [{"seconds": 61}, {"hours": 20}, {"hours": -1}])
def test_workers_with_old_or_future_heartbeats_are_lost(client, all_beat, queue, ago):
    heard(queue, **ago)
    assert status(client) == (503, {"status": "failing", "alive": 2, "lost": [queue]})
    beat(name=f"{queue}@clinic", queue=queue)
    assert status(client)[0] == 200


def test_a_second_worker_of_a_queue_can_be_lost_too(client, all_beat):
    beat(name="worker2@clinic", queue="celery")
    WorkerHeartbeat.objects.filter(name="worker2@clinic").update(heard_at=timezone.now() - timedelta(minutes=2))
    assert status(client) == (503, {"status": "failing", "alive": 3, "lost": ["celery"]})
    delete_heartbeat("worker2@clinic")
    assert status(client)[0] == 200


def test_one_worker_may_serve_all_queues(client, needs_workers):
    beat(name="all@clinic", queue="celery,long")
    beat(name="schedule@clinic", queue="schedule")
    assert status(client)[0] == 200


def test_workers_that_were_taken_down_are_deleted(all_beat):
    heard("long", days=2)
    heard("celery", days=-2)
    forget_old_workers()
    assert WorkerHeartbeat.objects.get().queue == "schedule"


def test_a_heartbeat_reaches_the_supervisor_when_the_database_fails(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notices"))

    def away(*_arguments, **_options) -> None:
        raise OperationalError("no")

    monkeypatch.setattr(WorkerHeartbeat.objects, "update_or_create", away)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices, caplog.at_level(logging.WARNING):
        notices.bind(str(tmp_path / "notices"))
        beat(name="worker@clinic", queue="celery")
        assert notices.recv(100) == b"WATCHDOG=1"
    assert "The heartbeat of worker@clinic was not saved" in caplog.text
    monkeypatch.undo()
    beat(name="worker@clinic", queue="celery", task="diagnosis.retraining.tasks.work_on_run")
    assert WorkerHeartbeat.objects.get().process == os.getpid()


def test_the_operators_page_lists_each_worker(client, all_beat):
    client.force_login(factories.UserFactory(is_superuser=True, is_staff=True))
    heard("long", minutes=5)
    page = client.get(reverse("admin:dermascan_workerheartbeat_changelist")).content.decode()
    assert page.count("Working or idle") == 2
    assert page.count("Lost: no heartbeat for too long") == 1


def test_only_operators_see_it(all_beat, sign_in, dermatologist, manager):
    for member in (dermatologist, manager):
        answer = sign_in(member).get(reverse("admin:dermascan_workerheartbeat_changelist"))
        assert answer.status_code == 403
