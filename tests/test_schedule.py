"""The schedule's file: what a power cut may leave of it."""

import dbm

import pytest

from dermascan.celery import app
from dermascan.schedule import Scheduler


def test_beat_is_told_to_use_it():
    assert app.conf.beat_scheduler == "dermascan.schedule.Scheduler"


@pytest.mark.parametrize("spoilt", [b"", b"\x80\x04", b"not pickled"])
def test_a_spoilt_file_is_begun_anew(tmp_path, spoilt):
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


def scheduler_of(path):
    found = Scheduler(app=app, schedule_filename=path, lazy=True)
    found.setup_schedule()
    return found
