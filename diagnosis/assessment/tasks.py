"""Background tasks. Each calls one service, is safe to run twice, and takes only strings."""

from celery import shared_task

from diagnosis.assessment.explain import ask_and_store
from diagnosis.assessment.rescoring import rescore_archive


@shared_task(soft_time_limit=90, time_limit=110)
def write_explanation(code: str, language: str, reading_level: str) -> None:
    """Request one explanation and store it. Does nothing if it is already stored."""
    ask_and_store(code=code, language=language, reading_level=reading_level)


@shared_task(soft_time_limit=21000, time_limit=21600)
def rescore_the_archive() -> None:
    """Re-score the archive with the active version. Resumes where it stopped."""
    for _count in rescore_archive():
        pass
