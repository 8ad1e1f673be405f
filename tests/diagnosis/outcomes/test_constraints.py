"""Each rule about specimens, results and closures holds in the database: rows that break it are refused."""

import datetime
import hashlib
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from diagnosis.outcomes.models import LesionClosure, PathologyResult, ResultReview, Specimen
from diagnosis.reports.models import ContradictedReport
from tests import factories
from tests.diagnosis.outcomes.records import confirmed, days_ago, entered, photographed, sent
from tests.diagnosis.reporting import signed_report

pytestmark = pytest.mark.django_db


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory(patient=patient)


@pytest.fixture
def specimen(lesion, dermatologist) -> Specimen:
    return sent(lesion, dermatologist, number="H26-1")


@pytest.fixture
def refused():
    """Return a context in which the database must refuse a row by the rule that is named."""

    class Refused:
        def __init__(self, rule: str) -> None:
            self._raises = pytest.raises(IntegrityError, match=rule)

        def __enter__(self):
            self._raises.__enter__()
            self._atomic = transaction.atomic()
            self._atomic.__enter__()

        def __exit__(self, *error):
            self._atomic.__exit__(*error)
            return self._raises.__exit__(*error)

    return Refused


def specimen_row(lesion, member, **facts):
    values = {"clinic": lesion.patient.clinic, "kind": "punch", "sent_on": days_ago(1), "sent_by": member}
    return Specimen(**{**values, "lesion": lesion, "recorded_by": member, **facts})


def result_row(specimen, member, **facts):
    values = {"number": 1, "received_on": days_ago(0), "answer": "nv", "entered_by": member}
    return PathologyResult(**{**values, "specimen": specimen, **facts})


WITHDRAWN_AT = timezone.now()


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"kind": "scrape"}, "specimen_kind_is_known"),
        ({"number": "", "number_key": ""}, "specimen_number_is_not_empty"),
        ({"number": "H26-2"}, "specimen_number_is_not_empty"),
        ({"sent_on": datetime.date(1926, 5, 4)}, "specimen_date_is_plausible"),
        ({"withdrawn_at": WITHDRAWN_AT}, "specimen_is_withdrawn_by_someone_for_a_reason"),
        ({"withdrawal_reason": "A slip"}, "specimen_is_withdrawn_by_someone_for_a_reason"),
    ],
)
def test_a_specimen_that_breaks_a_rule_is_refused(lesion, dermatologist, refused, facts, rule):
    with refused(rule):
        specimen_row(lesion, dermatologist, **facts).save()


def test_a_number_stands_once_in_a_clinic(lesion, specimen, dermatologist, stranger, other_clinic, refused):
    with refused("number"):
        specimen_row(lesion, dermatologist, number="h26 1", number_key=specimen.number_key).save()
    elsewhere = factories.LesionFactory(patient__clinic=other_clinic)
    specimen_row(elsewhere, stranger, number="H26-1", number_key=specimen.number_key).save()
    facts = {"withdrawn_at": timezone.now(), "withdrawn_by": dermatologist, "withdrawal_reason": "A slip"}
    Specimen.objects.filter(pk=specimen.pk).update(**facts)
    specimen_row(lesion, dermatologist, number="H26-1", number_key=specimen.number_key).save()


def test_a_specimen_is_of_one_patient_of_its_clinic(lesion, dermatologist, other_clinic, clinic, refused):
    rule = "specimen_is_of_one_patient_of_its_clinic"
    with refused(rule):
        specimen_row(lesion, dermatologist, clinic=other_clinic).save()
    visit = factories.VisitFactory(patient=factories.PatientFactory(clinic=clinic))
    with refused(rule):
        specimen_row(lesion, dermatologist, visit=visit).save()


MELANOMA = {"answer": "mel", "invasion": "invasive"}
SHA = hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"number": 2}, "pathology_is_amended_for_a_reason"),
        ({"reason": "The first has none"}, "pathology_is_amended_for_a_reason"),
        ({"answer": "bunion"}, "pathology_answer_is_known"),
        ({"answer": "not_a_lesion"}, "pathology_answer_is_known"),
        ({"answer": "other"}, "pathology_says_what_else_it_is"),
        ({"other_text": "A mole"}, "pathology_says_what_else_it_is"),
        ({"invasion": "invasive"}, "pathology_invasion_is_of_a_melanoma"),
        ({"answer": "mel", "invasion": "half"}, "pathology_invasion_is_of_a_melanoma"),
        ({"breslow_mm": Decimal("1")}, "pathology_breslow_is_of_an_invasive_melanoma"),
        ({"answer": "mel", "breslow_mm": Decimal("1")}, "pathology_breslow_is_of_an_invasive_melanoma"),
        (
            {"answer": "mel", "invasion": "in_situ", "breslow_mm": Decimal("1")},
            "pathology_breslow_is_of_an_invasive_melanoma",
        ),
        ({**MELANOMA, "breslow_mm": Decimal("0.04")}, "pathology_breslow_is_of_an_invasive_melanoma"),
        ({**MELANOMA, "breslow_mm": Decimal("50.01")}, "pathology_breslow_is_of_an_invasive_melanoma"),
        ({"ulceration": "yes"}, "pathology_ulceration_is_of_an_invasive_melanoma"),
        ({**MELANOMA, "ulceration": "maybe"}, "pathology_ulceration_is_of_an_invasive_melanoma"),
        ({"margins": "wide"}, "pathology_margins_are_known"),
        ({"file": "outcomes/aa/x-report"}, "pathology_file_is_described"),
        ({"file_sha256": SHA}, "pathology_file_is_described"),
        ({"confirmed_at": WITHDRAWN_AT}, "pathology_is_confirmed_by_someone"),
        ({"counted_after": 3}, "pathology_is_confirmed_by_someone"),
        ({"withdrawn_at": WITHDRAWN_AT}, "pathology_is_withdrawn_by_someone_for_a_reason"),
        ({"received_on": days_ago(11)}, "result_is_not_received_before_it_was_sent"),
    ],
)
def test_a_result_that_breaks_a_rule_is_refused(specimen, dermatologist, refused, facts, rule):
    with refused(rule):
        result_row(specimen, dermatologist, **facts).save()


@pytest.mark.parametrize("thickness", ["0.05", "0.8", "50"])
def test_an_invasive_melanoma_has_a_thickness(specimen, dermatologist, thickness):
    row = result_row(specimen, dermatologist, **MELANOMA, breslow_mm=Decimal(thickness), ulceration="no")
    row.save()
    row.refresh_from_db()
    assert row.breslow_mm == Decimal(thickness)


def test_a_result_belongs_to_a_standing_specimen_and_has_a_number_of_its_own(specimen, dermatologist, refused):
    with refused("specimen_id"):
        result_row(None, dermatologist).save()
    result_row(specimen, dermatologist).save()
    with refused("number"):
        result_row(specimen, dermatologist).save()
    other = sent(specimen.lesion, dermatologist)
    facts = {"withdrawn_at": timezone.now(), "withdrawn_by": dermatologist, "withdrawal_reason": "A slip"}
    Specimen.objects.filter(pk=other.pk).update(**facts)
    with refused("result_is_not_received_before_it_was_sent"):
        result_row(other, dermatologist).save()


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"why": "bored"}, "lesion_is_closed_for_a_known_reason"),
        ({"why": "other"}, "lesion_is_closed_with_another_reason_in_words"),
        ({"reopened_at": WITHDRAWN_AT}, "lesion_is_reopened_by_someone_for_a_reason"),
    ],
)
def test_a_closure_that_breaks_a_rule_is_refused(lesion, dermatologist, refused, facts, rule):
    with refused(rule):
        LesionClosure.objects.create(**{"lesion": lesion, "why": "gone", "closed_by": dermatologist, **facts})


def test_a_lesion_is_closed_once_at_a_time(lesion, dermatologist, refused):
    closure = LesionClosure.objects.create(lesion=lesion, why="gone", closed_by=dermatologist)
    with refused("lesion"):
        LesionClosure.objects.create(lesion=lesion, why="gone", closed_by=dermatologist)
    LesionClosure.objects.filter(pk=closure.pk).update(
        reopened_at=timezone.now(), reopened_by=dermatologist, reopening_reason="Back again"
    )
    LesionClosure.objects.create(lesion=lesion, why="gone", closed_by=dermatologist)


def test_history_is_not_rewritten(patient, dermatologist, refused):
    lesion = photographed(patient, 20)
    specimen = sent(lesion, dermatologist, number="H26-1")
    visit = lesion.images.get().visit
    report = signed_report(visit, dermatologist)
    result = confirmed(specimen, dermatologist)
    closure = LesionClosure.objects.create(lesion=lesion, why="gone", closed_by=dermatologist)
    row = ContradictedReport.objects.get(report=report)
    changes: list[tuple[Any, dict[str, Any], str]] = [
        (specimen, {"kind": "shave"}, "specimen_is_append_only"),
        (specimen, {"number": "H26-2", "number_key": "h262"}, "specimen_is_append_only"),
        (result, {"answer": "nv"}, "pathologyresult_is_append_only"),
        (result, {"confirmed_at": timezone.now()}, "pathologyresult_is_append_only"),
        (closure, {"note": "Another"}, "lesionclosure_is_append_only"),
        (row, {"said": "Nothing"}, "contradictedreport_is_append_only"),
        (ResultReview.objects.get(result=result), {"result": result}, "resultreview_is_append_only"),
    ]
    for record, change, rule in changes:
        with refused(rule):
            type(record).objects.filter(pk=record.pk).update(**change)


def test_a_report_is_contradicted_once_by_a_result_and_said_something(patient, dermatologist, refused):
    lesion = photographed(patient, 20)
    report = signed_report(lesion.images.get().visit, dermatologist)
    result = confirmed(sent(lesion, dermatologist), dermatologist)
    with refused("report"):
        ContradictedReport.objects.create(result=result, report=report, said="Calm", is_miss=True)
    other = entered(sent(lesion, dermatologist), dermatologist)
    with refused("contradicted_report_said_something"):
        ContradictedReport.objects.create(result=other, report=report, said="", is_miss=True)
