"""Work that can wait. Thin: each task calls one service, may be run twice, and takes plain words or ids."""

from celery import shared_task

from diagnosis.assessment.explain import ask_and_store
from diagnosis.assessment.rescoring import rescore_archive


@shared_task(soft_time_limit=90, time_limit=110)
def write_explanation(code: str, language: str, reading_level: str) -> None:
    """Have one explanation written and kept. Does nothing if it is already there."""
    ask_and_store(code=code, language=language, reading_level=reading_level)


@shared_task(soft_time_limit=21000, time_limit=21600)
def rescore_the_archive() -> None:
    """Have the active version read the stored features of all that was judged before. Goes on where it stopped."""
    for _count in rescore_archive():
        pass
