"""The run itself, through the command: what comes of it, and that there is one at a time."""

import datetime
import uuid
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from dermascan.celery import app
from dermascan.core.clock import ClockWatch
from diagnosis.images.models import Image
from diagnosis.retraining import run_states, tasks
from diagnosis.retraining import services as run_module
from diagnosis.retraining.due import is_due
from diagnosis.retraining.errors import LeaseLost, NotAbandonable, NotResumable, RunIsAlive
from diagnosis.retraining.models import ManifestEntry, Part, RunStatus, TestAssignment, TrainingRun, versions_that_used
from diagnosis.retraining.run_states import (
    abandon_run,
    claim_run,
    mark_stalled_runs,
    queue_run,
    report_progress,
    requeue_run,
)
from diagnosis.retraining.services import start_run
from diagnosis.retraining.tasks import find_lost_work, find_stalled_runs, retrain_when_due, work_on_run
from mlmodel.versions.models import ModelVersion, ModelVersionStatus
from mlmodel.versions.serving import active_version
from tests.diagnosis.retraining.cases import agreeing_patient, confirmed, confirmed_cases, in_turn, withdraw

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.services]


def retrain(*arguments: str) -> str:
    out = StringIO()
    call_command("retrain", *arguments, stdout=out)
    return out.getvalue()


def newest() -> Any:
    return TrainingRun.objects.get()


def queued(**values) -> TrainingRun:
    return queue_run(parent=active_version(), **values)


def at_work(run: TrainingRun | None = None) -> Any:
    """A run that a worker has taken."""
    return claim_run((run or queued()).pk)


def fall_silent(run: TrainingRun) -> None:
    TrainingRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - datetime.timedelta(minutes=1))


@pytest.mark.slow
def test_a_run_of_two_clinics_ends_with_a_judged_candidate_that_nobody_uses_yet(dermatologist, stranger, sign_in):
    in_turn(confirmed_cases(dermatologist, 12) + confirmed_cases(stranger, 6, start=5))
    patient = agreeing_patient(dermatologist.clinic)
    confirmed(reader=dermatologist, patient=patient, row=9)
    told = retrain()
    run = newest()
    assert run.status == RunStatus.DONE
    assert run.share_done == 1.0
    assert run.candidate.status == ModelVersionStatus.CANDIDATE
    assert ModelVersion.objects.get(status=ModelVersionStatus.ACTIVE) == run.parent
    assert run.judgement["verdict"] in {"hold", "reject"}  # a handful of labels proves nothing
    assert run.manifest.count() == 19
    assert run.manifest.filter(part=Part.TEST).count() >= 5
    assert run.candidate.name in told
    assert "19 of them" not in told
    assert versions_that_used(images=Image.objects.filter(visit__patient=patient)) == [run.candidate]
    withdraw(patient)
    assert versions_that_used(images=Image.objects.filter(visit__patient=patient)) == [run.candidate]
    assert run.candidate.name in sign_in(dermatologist).get(patient.get_absolute_url()).content.decode()
    assert retrain("--dry-run").count("photographs of") == 2
    assert not run.manifest.visible_to(stranger).filter(image__visit__patient__clinic=dermatologist.clinic).exists()
    assert run.manifest.visible_to(stranger).count() == 6


@pytest.mark.slow
def test_consent_withdrawn_while_the_network_trains_throws_the_training_away(dermatologist, monkeypatch, settings):
    settings.RETRAINING_LOCKED_SHARE = 0.0
    patient = agreeing_patient(dermatologist.clinic)
    gone = confirmed(reader=dermatologist, patient=patient)
    confirmed(reader=dermatologist, row=1)
    trained_on = []
    really_train = run_module.train_candidate

    def train(**options):
        trained_on.append(len(options["learned"]))
        if len(trained_on) == 1:
            withdraw(patient)
        return really_train(**options)

    monkeypatch.setattr(run_module, "train_candidate", train)
    retrain()
    run = newest()
    assert trained_on == [2, 1]
    assert run.withdrawn == [str(gone.pk)]
    assert versions_that_used(images=Image.objects.filter(visit__patient=patient)) == []


def test_a_dry_run_writes_nothing(dermatologist, settings):
    settings.RETRAINING_LOCKED_SHARE = 0.0
    confirmed_cases(dermatologist, 3)
    assert "3 photographs of 3 lesions to train on, 3 of them new" in retrain("--dry-run")
    assert not TrainingRun.objects.exists()
    assert not TestAssignment.objects.exists()
    assert not ManifestEntry.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        (["--since", "yesterday"], "“yesterday” is not a date; use the format 2026-03-31", 1),
        (["--clinic", ""], "no clinic called", 1),
        (["--resume", "--clinic", ""], "leave out --clinic", 2),
        (["--clinic", "Nowhere"], "no clinic called", 1),
        (["--resume"], "no run to resume", 1),
        (["--abandon"], "no run to abandon", 1),
        (["--resume", "--since", "2026-01-01"], "leave out --since", 2),
        ([], "nothing new to train on", 1),
    ],
)
def test_what_cannot_be_done_is_said(arguments, words, status):
    with pytest.raises(CommandError, match=words) as refusal:
        retrain(*arguments)
    assert refusal.value.returncode == status
    assert not TrainingRun.objects.exists()


def test_only_locked_lesions_teach_nothing(dermatologist, settings):
    settings.RETRAINING_LOCKED_SHARE = 1.0
    confirmed(reader=dermatologist)
    with pytest.raises(CommandError, match="nothing new"):
        retrain()
    assert newest().status == RunStatus.FAILED
    assert "nothing new" in newest().error


def test_there_is_one_run_at_a_time(dermatologist):
    confirmed(reader=dermatologist)
    run = queued()
    with pytest.raises(RunIsAlive):
        queued()
    with pytest.raises(CommandError, match="already in progress"):
        retrain()
    assert claim_run(run.pk) is not None
    assert claim_run(run.pk) is None
    with pytest.raises(RunIsAlive):
        queued()


def test_a_silent_run_is_dead_within_a_minute_and_resumed_or_abandoned():
    run = at_work()
    assert mark_stalled_runs() == 0
    with pytest.raises(NotResumable, match="in progress"):
        requeue_run()
    fall_silent(run)
    find_stalled_runs()
    run.refresh_from_db()
    assert run.is_dead
    assert mark_stalled_runs() == 0
    resumed = at_work(requeue_run())
    assert resumed.pk == run.pk
    with pytest.raises(LeaseLost):  # the process that was taken for dead wakes up
        report_progress(run, 0.5, "Training")
    report_progress(resumed, 0.5, "Training")
    abandon_run(why="Enough.")
    with pytest.raises(LeaseLost):
        report_progress(resumed, 0.6, "Training")
    with pytest.raises(NotAbandonable):
        abandon_run(why="Enough.")
    with pytest.raises(NotResumable):
        requeue_run()


def test_a_dead_run_makes_way_and_is_not_resumed_beside_another():
    run = at_work()
    fall_silent(run)
    queued()
    with pytest.raises(RunIsAlive):
        requeue_run(run.pk)


def test_a_run_of_another_active_version_is_not_carried_on(dermatologist):
    confirmed(reader=dermatologist)
    other = ModelVersion.objects.create(
        name="x", sha256="f" * 64, backbone_sha256="b" * 64, head_sha256="c" * 64, card=""
    )
    run = queue_run(parent=other)
    work_on_run(str(run.pk))
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "Another version" in run.error


def test_what_breaks_is_kept_with_the_run_and_raised(dermatologist, monkeypatch):
    confirmed(reader=dermatologist)

    def breaks():
        raise RuntimeError("no disk")

    monkeypatch.setattr(run_module, "read_base_set", breaks)
    with pytest.raises(RuntimeError):
        retrain()
    assert newest().error == "RuntimeError: no disk"
    work_on_run(str(newest().pk))  # a task that is delivered twice
    work_on_run(str(uuid.uuid4()))


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"status": "asleep", "slot": None}, "run_"),
        ({"slot": None}, "run_holds_the_slot"),
        ({"status": "failed", "slot": None, "finished_at": timezone.now()}, "failed_run_says_why"),
        ({"status": "done", "slot": None, "finished_at": timezone.now()}, "run_that_is_done_has_a_candidate"),
        ({"status": "dead", "finished_at": timezone.now()}, "run_holds_the_slot"),
        ({"share_done": 1.5}, "run_share_is_a_share"),
    ],
)
def test_no_run_is_in_two_states(wrong, name):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        TrainingRun.objects.create(parent=active_version(), **wrong)


def test_the_database_lets_one_run_be_alive():
    TrainingRun.objects.create(parent=active_version())
    with pytest.raises(IntegrityError, match="slot"), transaction.atomic():
        TrainingRun.objects.create(parent=active_version())


def test_a_run_starts_by_itself_when_enough_labels_have_come(dermatologist, settings, monkeypatch):
    started: list[str] = []
    monkeypatch.setattr(tasks, "enqueue_on_commit", lambda _task, run: started.append(run))
    settings.RETRAINING_AFTER_LABELS, settings.RETRAINING_EVERY_DAYS = 2, 0
    confirmed(reader=dermatologist)
    retrain_when_due()
    assert not started
    confirmed(reader=dermatologist, row=1)
    retrain_when_due()
    retrain_when_due()
    assert started == [str(newest().pk)]
    abandon_run(why="No.")
    assert not is_due()


@pytest.mark.django_db(transaction=True)
def test_a_run_that_starts_by_itself_while_the_queue_is_away_is_found_by_the_schedule(dermatologist, settings):
    settings.RETRAINING_AFTER_LABELS, settings.RETRAINING_EVERY_DAYS = 1, 0
    confirmed(reader=dermatologist)
    before = {name: app.conf[name] for name in ("task_always_eager", "broker_url", "broker_transport_options")}
    app.conf.update(task_always_eager=False, broker_url="redis://127.0.0.1:9/0", broker_transport_options={})
    try:
        retrain_when_due()
    finally:
        app.conf.update(before)
    assert newest().status == RunStatus.QUEUED
    find_lost_work()
    assert newest().status != RunStatus.QUEUED


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_kills_no_run_and_keeps_no_dead_one_alive(monkeypatch, hours):
    run, now = at_work(), timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + datetime.timedelta(hours=hours))
    assert mark_stalled_runs() == 0
    assert newest().status == RunStatus.RUNNING
    report_progress(run, 0.5, "at work")
    assert mark_stalled_runs() == 0
    later = now() + datetime.timedelta(hours=hours, minutes=1)
    monkeypatch.setattr(run_states, "_clock", ClockWatch())
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert run_states._clock.has_jumped()
    assert mark_stalled_runs() == 1


def test_a_run_heard_of_at_a_time_that_has_not_come_is_dead():
    at_work()
    TrainingRun.objects.update(heartbeat_at=timezone.now() + datetime.timedelta(hours=1))
    assert mark_stalled_runs() == 1


def test_a_run_starts_by_itself_when_its_day_has_come(dermatologist, settings):
    settings.RETRAINING_AFTER_LABELS, settings.RETRAINING_EVERY_DAYS = 0, 7
    confirmed(reader=dermatologist)
    assert not is_due()
    ModelVersion.objects.update(created_at=timezone.now() - datetime.timedelta(days=8))
    assert is_due()


@pytest.mark.parametrize("rule", ["labels", "days"])
def test_a_run_starts_by_itself_where_the_clock_was_a_year_ahead(dermatologist, settings, monkeypatch, rule):
    settings.RETRAINING_AFTER_LABELS, settings.RETRAINING_EVERY_DAYS = (1, 0) if rule == "labels" else (0, 7)
    monkeypatch.setattr(tasks, "enqueue_on_commit", lambda _task, _run: None)
    next_year = timezone.now() + datetime.timedelta(days=365)
    confirmed(reader=dermatologist)
    retrain_when_due() if rule == "labels" else queue_run(parent=active_version())
    abandon_run(why="No.")
    TrainingRun.objects.update(created_at=next_year)
    ModelVersion.objects.update(created_at=next_year)

    retrain_when_due()
    assert TrainingRun.objects.count() == 1, "there is nothing that was not tried"
    confirmed(reader=dermatologist, row=1)
    retrain_when_due()
    assert TrainingRun.objects.alive().count() == 1
    abandon_run(why="No.")
    confirmed(reader=dermatologist, row=2)
    assert is_due() == (rule == "labels"), "once, and not at every look"


def test_labels_given_after_the_clock_was_set_back_are_new(dermatologist, monkeypatch, sign_in):
    now = timezone.now
    active_version()
    monkeypatch.setattr(timezone, "now", lambda: now() - datetime.timedelta(days=2))
    confirmed(reader=dermatologist)
    page = sign_in(dermatologist).get(reverse("admin:retraining"))
    assert page.context["new"] == 1
    assert start_run().status == RunStatus.QUEUED
