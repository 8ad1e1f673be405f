"""Limits from the settings for all templates, so that pages state the actual values."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from dermascan.core.durations import in_words
from mlmodel.network import drift
from mlmodel.pictures import picture as pictures
from mlmodel.retraining.candidate_training import LEAST_LESIONS


def stated_limits(_request: HttpRequest) -> dict[str, Any]:
    return {"limits": SimpleLazyObject(limits)}


def limits() -> dict[str, Any]:
    watch_interval: Any = settings.CELERY_BEAT_SCHEDULE["watch"]["schedule"]
    return {
        "photograph_bytes": pictures.MAX_BYTES,
        "photograph_megabytes": pictures.MAX_BYTES // 1024**2,
        "photographs_at_once": settings.UPLOAD_MAX_FILES,
        "link_lasts": in_words(settings.PASSWORD_RESET_TIMEOUT),
        # The confirmed lesions a clinic needs before retraining, and the percentage held out for testing.
        "lesions_to_learn_from": LEAST_LESIONS,
        "locked_percent": round(100 * settings.RETRAINING_LOCKED_SHARE),
        "watched_every": in_words(watch_interval).removeprefix("1 "),
        "photographs_to_tell_drift": drift.FEWEST,
        "stability_index_of_a_shift": drift.MOVED,
    }
