"""How a photograph was taken, as a report shows it: its kind, and when, if that was not at the visit."""

from typing import Any

from diagnosis.assessment.photograph_kind import kind_in_words
from diagnosis.images.models import Image


def facts_in_report(image: Image) -> dict[str, Any]:
    """Return kind and day; reports that were signed before these facts were recorded have neither key."""
    return {
        "kind": image.kind,
        "kind_words": kind_in_words(image.kind),
        "taken_on": image.taken_on.isoformat() if image.taken_at else None,
        "was_taken_at_another_time": image.is_of_another_time,
    }
