"""What reviews have settled since a report was signed. The report stays what it is; whoever reads it must know."""

import json
from dataclasses import dataclass

from diagnosis.models import Image, Report
from diagnosis.review_words import answer_name


@dataclass(frozen=True)
class Since:
    """A photograph whose label is another than the signed one.

    Attributes:
        signed, now: the label in words; empty where there was or is none.
    """

    image: Image
    signed: str
    now: str


def labelled_otherwise_since(report: Report) -> list[Since]:
    """Return the photographs of a report whose label was settled, changed or lost after the signature."""
    signed = {
        photograph["id"]: photograph["confirmed"]
        for lesion in json.loads(report.content)["lesions"]
        for photograph in lesion["photographs"]
    }
    images = Image.objects.filter(visit=report.visit_id).with_confirmed_label().select_related("lesion")
    found = []
    for image in images.order_by("lesion__number", "created_at"):
        then, now = signed.get(str(image.pk)), getattr(image, "confirmed_answer", None)
        if (then["code"] if then else None) != now:
            found.append(Since(image, then["name"] if then else "", answer_name(now) if now else ""))
    return found
