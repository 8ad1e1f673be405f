"""Work that can wait. Thin: each task calls one service, may be run twice, and takes plain words or ids."""

from uuid import UUID

from celery import shared_task

from diagnosis.explanations import write_and_keep
from diagnosis.retraining.liveness import bury_the_dead, take_run
from diagnosis.retraining.run import carry_out
from diagnosis.retraining.schedule import start_run_if_due
from diagnosis.services.labels import derive_labels_anew
from diagnosis.services.lost_work import hand_over_again
from diagnosis.services.rescoring import rescore_archive
from diagnosis.watch.checks import watch_clinic
from diagnosis.watch.days import keep_day
from patients.background import hand_over
from patients.models import Clinic


@shared_task(soft_time_limit=90, time_limit=110)
def write_explanation(code: str, language: str, reading_level: str) -> None:
    """Have one explanation written and kept. Does nothing if it is already there."""
    write_and_keep(code=code, language=language, reading_level=reading_level)


@shared_task(soft_time_limit=3300, time_limit=3600)
def derive_labels_of_clinic(clinic_id: str) -> None:
    """Apply the clinic's rule for reviews to the labels that another rule made. Does nothing if there are none."""
    derive_labels_anew(clinic=Clinic.objects.get(pk=clinic_id))


@shared_task(soft_time_limit=14000, time_limit=14400)
def work_on_run(run_id: str) -> None:
    """Carry out a retraining run that waits. Does nothing if somebody has taken it, or it was abandoned."""
    run = take_run(UUID(run_id))
    if run is not None:
        carry_out(run)


@shared_task
def retrain_when_due() -> None:
    """Start a retraining run if it is time. Does nothing otherwise, however often it is asked."""
    run = start_run_if_due()
    if run is not None:
        hand_over(work_on_run, str(run.pk))


@shared_task
def bury_dead_runs() -> None:
    """Call retraining runs dead that have not been heard of for too long."""
    bury_the_dead()


@shared_task
def find_lost_work() -> None:
    """Hand over again what a queue has lost. Does nothing otherwise."""
    hand_over_again()


@shared_task(soft_time_limit=21000, time_limit=21600)
def rescore_the_archive() -> None:
    """Have the active version read the stored features of all that was judged before. Goes on where it stopped."""
    for _count in rescore_archive():
        pass


@shared_task(soft_time_limit=3300, time_limit=3600)
def watch_clinics() -> None:
    """Make the hourly checks of every clinic, and keep what was seen."""
    for clinic in Clinic.objects.all():
        watch_clinic(clinic)
        keep_day(clinic)
    keep_day(None)
