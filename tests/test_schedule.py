"""The beat scheduler survives a corrupt file and clock changes."""

import dbm
import os
import time
from datetime import timedelta

import pytest
from celery.schedules import schedule

from dermascan.beat_scheduler import Scheduler
from dermascan.celery import app
from dermascan.models import WorkerHeartbeat

pytestmark = pytest.mark.django_db


def test_beat_uses_it():
    assert app.conf.beat_scheduler == "dermascan.beat_scheduler.Scheduler"


@pytest.mark.parametrize("spoilt", [b"", b"\x80\x04", b"not pickled"])
def test_a_corrupt_file_is_recreated(tmp_path, spoilt):
    path = str(tmp_path / "beat-schedule")
    with dbm.open(path, "c") as file:
        for name in (b"entries", b"__version__", b"tz", b"utc_enabled"):
            file[name] = spoilt

    scheduler = scheduler_of(path)

    assert "retrain-when-due" in scheduler.schedule
    scheduler.close()
    again = scheduler_of(path)
    assert set(app.conf.beat_schedule) <= set(again.schedule)
    again.close()


def test_due_tasks_are_sent_after_the_clock_was_set_back(tmp_path, monkeypatch):
    handed_out = []
    monkeypatch.setattr(Scheduler, "apply_entry", lambda self, entry, producer=None: handed_out.append(entry.name))
    scheduler = scheduler_of(str(tmp_path / "beat-schedule"))
    scheduler.tick()  # with the old clock
    for entry in scheduler.schedule.values():
        entry.last_run_at = entry.default_now() + timedelta(hours=1)
    handed_out.clear()
    for name in ("find-stalled-runs", "send-due-messages"):
        scheduler.schedule[name].schedule = schedule(timedelta(seconds=0.05))
    for _turn in range(60):
        scheduler.tick()
        time.sleep(0.005)
    assert {"find-stalled-runs", "send-due-messages"} <= set(handed_out)
    scheduler.close()


def test_the_scheduler_sends_heartbeats(tmp_path):
    scheduler = scheduler_of(str(tmp_path / "beat-schedule"))
    scheduler.tick()
    heartbeat = WorkerHeartbeat.objects.get()
    assert (heartbeat.queue, heartbeat.process, heartbeat.is_lost) == ("schedule", os.getpid(), False)
    scheduler.close()
    assert not WorkerHeartbeat.objects.exists(), "who stops as they are told are not missed"


def scheduler_of(path):
    scheduler = Scheduler(app=app, schedule_filename=path, lazy=True)
    scheduler.setup_schedule()
    return scheduler
