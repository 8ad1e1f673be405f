"""Lesions with photographs, specimens and results, for the tests of outcomes."""

import datetime
from typing import Any

from django.utils import timezone

from diagnosis.images.models import Image
from diagnosis.outcomes.models import PathologyResult, Specimen
from diagnosis.outcomes.pathology import Findings, confirm_result, enter_result
from diagnosis.outcomes.specimens import record_specimen
from patients.models import Lesion, Member, Patient
from tests import factories

TODAY = timezone.localdate
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def days_ago(days: int) -> datetime.date:
    return TODAY() - datetime.timedelta(days=days)


def photographed(patient: Patient, *ages: int, tier: str = "calm", lesion: Lesion | None = None) -> Lesion:
    """A lesion with one photograph for each age in days, each with an answer of the given tier."""
    lesion = lesion or factories.LesionFactory(patient=patient)
    for age in ages:
        add_photograph(lesion, age, tier=tier)
    return lesion


def add_photograph(lesion: Lesion, age: int, *, tier: str = "calm", **facts: Any) -> Image:
    visit = factories.VisitFactory(patient=lesion.patient, date=days_ago(age))
    image = factories.ImageFactory(lesion=lesion, visit=visit, **facts)
    factories.PredictionFactory(image=image, tier=tier, code="nv" if tier == "calm" else "mel")
    return image


def sent(lesion: Lesion, by: Member, *, age: int = 10, kind: str = "punch", **facts: Any) -> Specimen:
    return record_specimen(lesion=lesion, by=by, kind=kind, sent_on=days_ago(age), **facts)


def entered(specimen: Specimen, by: Member, answer: str = "mel", *, reason: str = "", **facts: Any) -> PathologyResult:
    findings = Findings(received_on=facts.pop("received_on", TODAY()), answer=answer, **facts)
    return enter_result(specimen=specimen, by=by, findings=findings, reason=reason)


def confirmed(
    specimen: Specimen, by: Member, answer: str = "mel", *, reason: str = "", **facts: Any
) -> PathologyResult:
    result = entered(specimen, by, answer, reason=reason, **facts)
    confirm_result(result=result, by=by)
    result.refresh_from_db()
    return result


def answers_of(lesion: Lesion) -> dict[int, str]:
    """The confirmed labels of a lesion's photographs by the age of their visit in days; empty where there is none."""
    images = Image.objects.filter(lesion=lesion).select_related("visit", "label")
    return {
        (TODAY() - image.visit.date).days: image.label.answer if hasattr(image, "label") else "" for image in images
    }
