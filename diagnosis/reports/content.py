"""The content of a report as plain data: the only source of the PDF, the JSON and the patient's page.

The content is deterministic: the same records give the same bytes, whenever and for whomever it is built. So signing
can prove that nothing changed between checking and freezing.
"""

import datetime
import hashlib
import json
from collections.abc import Mapping
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from diagnosis.assessment.advice import CaseContext
from diagnosis.assessment.case_context import read_case_contexts
from diagnosis.assessment.refusals import quality_in_words
from diagnosis.images.models import Image
from diagnosis.measures.scales import with_scales
from diagnosis.outcomes.states import outcomes_of
from diagnosis.reports.articles import explanations_of, is_malignant_lesion, labels_of
from diagnosis.reports.assessments_in_report import (
    assessment_in_report,
    assessment_overruled_by_label,
    condition_in_report,
    moment_in_report,
)
from diagnosis.reports.facts_in_report import facts_in_report
from diagnosis.reports.measures_in_report import measures_in_report
from diagnosis.reports.outcome_in_report import outcome_in_report
from diagnosis.reports.patient_told import risk_in_report, symptoms_in_report
from diagnosis.reports.printable_text import without_controls
from diagnosis.reviews.answers import Basis, LabelState
from diagnosis.reviews.diagnoses import BY_CODE
from diagnosis.reviews.label_rules import diagnosis_of
from diagnosis.reviews.labelled_images import with_confirmed_label
from diagnosis.reviews.models import ConfirmedLabel
from diagnosis.reviews.review_words import answer_malignancy, answer_name, plain_line
from mlmodel.network.quality import Reliability
from patients.models import Lesion, Member, Visit
from patients.services import symptoms_at

SCHEMA = "dermascan-report/4"

Content = dict[str, Any]


def build_content(visit: Visit) -> Content:
    """Return the unsigned content of the report of ``visit``, from its current records without the internal notes."""
    images = list(photographs_of(visit))
    case_context = {
        case.image.pk: case.case_context for case in read_case_contexts(Image.objects.in_use().filter(visit=visit))
    }
    earlier, symptoms = _labels_of_other_visits(visit), symptoms_at([visit.pk])
    outcomes = outcomes_of(list({image.lesion_id: image.lesion for image in images}.values()))
    by_lesion = groupby(images, key=lambda each: each.lesion)
    lesions = [
        {
            **_lesion(lesion, list(group), case_context, earlier.get(lesion.pk, [])),
            "symptoms": symptoms_in_report(symptoms.get((visit.pk, lesion.pk))),
            "outcome": outcome_in_report(outcomes[lesion.pk]),
        }
        for lesion, group in by_lesion
    ]
    content: Content = {
        "schema": SCHEMA,
        **clinic_and_patient(visit),
        "visit": {
            "id": str(visit.pk),
            "date": visit.date.isoformat(),
            "clinician": visit.clinician.name,
            "complaint": visit.complaint,
            # Of visits that were logged before symptoms belonged to lesions.
            "symptoms": visit.symptoms,
            "symptoms_since": visit.symptoms_since,
            "history": visit.history,
            "plan": visit.plan,
        },
        "lesions": lesions,
        "explanations": explanations_of(lesions),
        "model_versions": _model_versions(lesions),
        "disclaimers": _disclaimers(),
    }
    if visit.patient.clinic.prints_risk:
        content["risk"] = risk_in_report(visit.patient)
    return without_controls(content)


def clinic_and_patient(visit: Visit) -> Content:
    """The current details of the clinic and the patient."""
    patient, clinic = visit.patient, visit.patient.clinic
    return {
        "clinic": {"name": clinic.name, "address": clinic.address, "phone": clinic.phone},
        "patient": {
            "name": patient.name,
            "record_number": patient.record_number,
            "birth_date": patient.birth_date.isoformat(),
        },
    }


def attach_signature(content: Content, *, report_id: UUID, by: Member, at: datetime.datetime) -> Content:
    """Return ``content`` with its signature: the report's identifier, the signer and the time."""
    return {**content, "report": signature(report_id, by=by, at=at)}


def signature(record_id: UUID, *, by: Member, at: datetime.datetime) -> Content:
    return {"id": str(record_id), "signed_by": by.name, "signed_at": moment_in_report(at)}


def canonical_json(content: Content) -> str:
    """Return ``content`` in the canonical form that is hashed: sorted keys, no spaces, UTF-8, no NaN."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def photographs_of(visit: Visit) -> QuerySet[Image]:
    """The visit's photographs with everything that a report needs, ordered by lesion."""
    return (
        with_scales(with_confirmed_label(Image.objects.in_use().filter(visit=visit)))
        .select_related("visit", "lesion", "override__member__user", "label__review__reviewer__user")
        .with_shown_prediction()
        .prefetch_related("reviews__reviewer__user", "reviews__outside_reader", "reviews__retraction", "measurements")
        .order_by("lesion__number", "created_at", "pk")
    )


def settled_label(image: Image) -> ConfirmedLabel | None:
    """The label that reviews have settled, or None."""
    label: ConfirmedLabel | None = getattr(image, "label", None)
    return label if label is not None and label.is_settled else None


def _labels_of_other_visits(visit: Visit) -> dict[UUID, list[Content]]:
    """The confirmed labels of other visits, by lesion; each diagnosis once, newest first."""
    lesions = Image.objects.in_use().filter(visit=visit).order_by().values("lesion")
    others = Image.objects.in_use().filter(lesion__in=lesions).exclude(visit=visit).order_by().values("pk")
    labels = ConfirmedLabel.objects.filter(state=LabelState.SETTLED, image__in=others)
    labels = labels.select_related("image__visit", "review").order_by("-image__visit__date", "-settled_after")
    by_lesion: dict[UUID, dict[tuple[str, str], Content]] = {}
    for label in labels:
        text = label.review.other_text if label.review else ""
        row = {**answer_in_report(label.answer, text), "visit_date": label.image.visit.date.isoformat()}
        by_lesion.setdefault(label.image.lesion_id, {}).setdefault(diagnosis_of(label.answer, text), row)
    return {lesion: list(rows.values()) for lesion, rows in by_lesion.items()}


def _lesion(
    lesion: Lesion, images: list[Image], case_context: Mapping[UUID, CaseContext], earlier: list[Content]
) -> Content:
    content: Content = {
        "id": str(lesion.pk),
        "number": lesion.number,
        "title": lesion.title,
        "place": lesion.place,
        "body_site": lesion.body_site,
        "side": lesion.side,
        # As precise as it is known: "2026-06-03", "2026-06" or "2026"; the next line says "day", "month" or "year".
        "noticed_on": lesion.noticed.isoformat() if lesion.noticed else None,
        "noticed_precision": str(lesion.noticed.precision) if lesion.noticed else None,
        "description": lesion.description,
        # Confirmed labels of other visits.
        "earlier": earlier,
        "photographs": [_photograph(image, case_context[image.pk]) for image in images],
    }
    if is_malignant_lesion(content):
        names = [label["name"] for label in labels_of(content)]
        for photograph in content["photographs"]:
            if photograph["assessment"]:
                photograph["assessment"] = assessment_overruled_by_label(photograph["assessment"], names)
    return content


def _photograph(image: Image, case_context: CaseContext) -> Content:
    prediction = image.shown_prediction
    return {
        "id": str(image.pk),
        "sha256": image.sha256,
        "width": image.width,
        "height": image.height,
        "added_at": moment_in_report(image.created_at),
        **facts_in_report(image),
        "quality": {
            "verdict": image.verdict,
            "words": quality_in_words(image.verdict, image.measures, kind=image.kind),
            "override": _override(image),
        },
        "assessment": assessment_in_report(prediction, case_context) if prediction else None,
        "measures": measures_in_report(image) if image.reliability is Reliability.CALIBRATED else None,
        "confirmed": _confirmed(image),
    }


def _override(image: Image) -> Content | None:
    override = getattr(image, "override", None)
    if override is None:
        return None
    return {"by": override.member.name, "reason": override.reason, "at": moment_in_report(override.created_at)}


def _confirmed(image: Image) -> Content | None:
    label = settled_label(image)
    if label is None or label.review is None:
        return None
    review = label.review
    return {
        **answer_in_report(review.answer, review.other_text),
        **certainty_and_basis(label),
        **_without_dermatoscope(image, label),
        "by": ", ".join(_names(image, label)),
        "at": moment_in_report(review.created_at),
    }


def certainty_and_basis(label: ConfirmedLabel) -> Content:
    """The certainty and the basis of a settled label, such as histopathology."""
    certainty = {"certainty": "", "certainty_words": ""}
    if label.review:
        certainty = {"certainty": label.review.certainty, "certainty_words": label.review.get_certainty_display()}
    return {**certainty, "basis": label.basis, "basis_words": label.get_basis_display()}


def _without_dermatoscope(image: Image, label: ConfirmedLabel) -> Content:
    """An empty basis for a smartphone photograph labelled with the default basis, dermatoscopy."""
    is_implausible = label.basis == Basis.DERMATOSCOPY and image.reliability is Reliability.SMARTPHONE
    return {"basis_words": ""} if is_implausible else {}


def _names(image: Image, label: ConfirmedLabel) -> list[str]:
    """The names of all readers who gave the answer that became the label."""
    weighed = [review for review in image.reviews.all() if str(review.reader_id) in label.readers]
    assert label.review is not None, "a settled label has its review"
    diagnosis = diagnosis_of(label.review.answer, label.review.other_text)
    same = [review for review in weighed if diagnosis_of(review.answer, review.other_text) == diagnosis]
    in_order = sorted(same, key=lambda each: each.step)
    return list(dict.fromkeys(review.reader.name for review in in_order))


def answer_in_report(answer: str, other_text: str) -> Content:
    """An answer as a report shows it: a diagnosis with its line, free text, or no lesion."""
    if answer in BY_CODE:
        return {**condition_in_report(answer), "line": plain_line(answer)}
    return {
        "code": answer,
        "name": answer_name(answer, other_text),
        "malignancy": answer_malignancy(answer) or _("no disease"),
        "icd10": "",
        "snomed_ct": "",
        "line": "",
    }


def _model_versions(lesions: list[Content]) -> list[Content]:
    versions = {
        photograph["assessment"]["model_version"]: photograph["assessment"]["model_sha256"]
        for lesion in lesions
        for photograph in lesion["photographs"]
        if photograph["assessment"]
    }
    return [{"name": name, "sha256": sha256} for name, sha256 in sorted(versions.items())]


def _disclaimers() -> list[str]:
    return [
        _("Decision support, not a diagnosis. A dermatologist decides; the software only supports that decision."),
        _("The software knows only seven kinds of skin lesion. It cannot recognise any other."),
        _(
            "Unless stated otherwise next to them, probabilities are calibrated to the mix of cases in the HAM10000 "
            "collection, mostly light skin. "
            "On dark skin, nails and mucosa the software has hardly been tested."
        ),
        _("The heat map shows where the software looked, not where disease is."),
        _("If the spot bleeds, grows, hurts or changes, do not wait for the next appointment."),
    ]
