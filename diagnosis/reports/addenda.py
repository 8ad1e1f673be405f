"""What an addendum says, as plain data: the dermatologist's words, and what changed in the record since."""

import datetime
from dataclasses import asdict
from typing import Any

from diagnosis.answers import is_malignant_answer
from diagnosis.models import Addendum, Report
from diagnosis.review_words import answer_malignancy, icd10_of, plain_line

from .content import Content, clinic_and_patient
from .letters import without_controls
from .since import labelled_otherwise_since, set_aside_since

SCHEMA = "dermascan-addendum/1"


def build_addendum(report: Report, *, words: str) -> Content:
    """Gather what the next addendum to ``report`` says, without its signature."""
    visit = report.visit
    content: Content = {
        "schema": SCHEMA,
        **clinic_and_patient(visit),
        "visit": {"id": str(visit.pk), "date": visit.date.isoformat()},
        "of_report": {"id": str(report.pk), "content_sha256": report.content_sha256},
        "number": Addendum.objects.filter(report=report).count() + 1,
        "words": words,
        "labels": [
            {
                "photograph": str(since.image.pk),
                "lesion": since.image.lesion.title,
                "place": since.image.lesion.place,
                "which": since.which,
                "then": asdict(since.then),
                "now": {
                    **asdict(since.now),
                    "malignancy": answer_malignancy(since.now.code),
                    "icd10": icd10_of(since.now.code),
                    "line": plain_line(since.now.code),
                },
            }
            for since in labelled_otherwise_since(report)
        ],
        "set_aside": [
            {
                "id": str(removed.set_aside.pk),
                "photograph": str(removed.set_aside.image_id),
                "lesion": removed.set_aside.image.lesion.title,
                "place": removed.set_aside.image.lesion.place,
                "which": removed.which,
                "reason": removed.set_aside.reason,
                "words": str(removed.set_aside.get_reason_display()),
            }
            for removed in set_aside_since(report)
        ],
    }
    return without_controls(content)


def present_addendum(content: Content) -> dict[str, Any]:
    """Return the content as a template needs it: dates as dates."""
    patient, signature = content["patient"], content["addendum"]
    return {
        **content,
        # Earlier addenda do not say which of a lesion's photographs they mean, nor how dangerous a label is.
        "labels": [
            {"which": "", **label, "now": {"malignancy": "", "icd10": "", "line": "", **label["now"]}}
            for label in content["labels"]
        ],
        "set_aside": content.get("set_aside", []),
        "patient": {**patient, "birth_date": datetime.date.fromisoformat(patient["birth_date"])},
        "visit": {**content["visit"], "date": datetime.date.fromisoformat(content["visit"]["date"])},
        "addendum": {**signature, "signed_at": datetime.datetime.fromisoformat(signature["signed_at"])},
    }


def with_later_labels(content: Content, addenda: list[dict[str, Any]]) -> Content:
    """Return a report's content in which a photograph says under ``later`` what the newest addendum about it says.

    Under ``set_aside`` it says why it no longer counts, if an addendum says so.

    Args:
        addenda: as ``present_addendum`` returns them, the newest first.
    """
    later: dict[str, Content] = {}
    for addendum in addenda:
        for label in addendum["labels"]:
            later.setdefault(
                label["photograph"],
                {
                    "name": label["now"]["name"],
                    "at": addendum["addendum"]["signed_at"],
                    "malignancy": label["now"]["malignancy"],
                    # That it changed asks to be read, even where it is harmless now.
                    "tone": "urgent" if is_malignant_answer(label["now"]["code"]) else "watch",
                },
            )
    aside = {row["photograph"]: row["words"] for addendum in addenda for row in addendum["set_aside"]}

    def told(photograph: Content) -> Content:
        number = photograph["id"]
        return {**photograph, "later": later.get(number), "set_aside": aside.get(number, "")}

    return {
        **content,
        "lesions": [
            {**lesion, "photographs": [told(photograph) for photograph in lesion["photographs"]]}
            for lesion in content["lesions"]
        ],
    }
