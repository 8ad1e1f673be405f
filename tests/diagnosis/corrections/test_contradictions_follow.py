"""Signed reports that the laboratory contradicts follow photographs that a correction moves."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from diagnosis.corrections.acts.lesion import move_lesion
from diagnosis.corrections.acts.merge import merge_patients
from diagnosis.corrections.acts.photograph import move_photograph
from diagnosis.corrections.acts.void import void_visit
from diagnosis.corrections.carrying_out import undo
from diagnosis.monitoring.misses import miss_counts
from diagnosis.reports.models import ContradictedReport
from diagnosis.reviews.services import record_review
from patients.models import MessageKind, OutgoingMessage
from patients.outbox import deliver_due
from tests import factories
from tests.diagnosis.corrections.conftest import REASON
from tests.diagnosis.outcomes.records import add_photograph, confirmed, photographed, sent
from tests.diagnosis.reporting import signed_report

pytestmark = pytest.mark.django_db


def reported_as_nevus(lesion, age, by):
    """A photograph of long ago, and the signed report that called it a nevus."""
    image = add_photograph(lesion, age)
    record_review(image=image, reviewer=by, answer="nv", certainty="certain")
    return image, signed_report(image.visit, by)


def told():
    return OutgoingMessage.objects.filter(kind=MessageKind.CONTRADICTED)


@pytest.fixture
def contradicted(patient, dermatologist):
    """A photograph of two years ago with its report, and the melanoma that the lesion turned out to be."""
    image, report = reported_as_nevus(factories.LesionFactory(patient=patient), 700, dermatologist)
    add_photograph(image.lesion, 20, tier="urgent")
    result = confirmed(sent(image.lesion, dermatologist), dermatologist)
    return image, report, result


def test_one_is_closed_when_its_photograph_goes_to_another_lesion_and_noted_again_when_it_comes_back(
    contradicted, patient, dermatologist, clinic
):
    image, report, result = contradicted
    row = ContradictedReport.objects.get()
    assert (row.report, row.result, told().count()) == (report, result, 1)
    correction = move_photograph(image=image, patient=patient, by=dermatologist, reason=REASON)
    row.refresh_from_db()
    assert row.closed_by == dermatologist
    assert row.closed_at is not None
    assert REASON in (row.closing_reason or "")
    assert not ContradictedReport.objects.standing().exists()
    assert miss_counts(clinic, days=84).report_count == 0
    undo(correction=correction, by=dermatologist, reason=REASON)
    assert ContradictedReport.objects.count() == 2
    assert ContradictedReport.objects.standing().get().report == report
    assert miss_counts(clinic, days=84).report_count == 1
    assert told().count() == 1, "its signer was told already"


def test_a_report_that_was_signed_with_the_result_known_is_not_noted(patient, dermatologist):
    lesion = photographed(patient, 20, tier="urgent")
    confirmed(sent(lesion, dermatologist), dermatologist)
    image = add_photograph(factories.LesionFactory(patient=patient), 700)
    record_review(image=image, reviewer=dermatologist, answer="nv", certainty="certain")
    signed_report(image.visit, dermatologist, at=timezone.now())
    move_photograph(image=image, patient=patient, lesion=lesion, by=dermatologist, reason=REASON)
    assert not ContradictedReport.objects.exists()


def test_a_report_from_before_the_result_is_noted_and_its_signer_told(patient, dermatologist):
    image, report = reported_as_nevus(factories.LesionFactory(patient=patient), 700, dermatologist)
    lesion = photographed(patient, 20, tier="urgent")
    result = confirmed(sent(lesion, dermatologist), dermatologist)
    move_photograph(image=image, patient=patient, lesion=lesion, by=dermatologist, reason=REASON)
    row = ContradictedReport.objects.get()
    assert (row.report, row.result, row.is_miss, row.said) == (report, result, True, "Melanocytic nevus (mole)")
    assert [each.about for each in told()] == [row.pk]


@pytest.mark.parametrize("act", ["lesion", "merge", "void"])
def test_a_report_that_still_shows_the_lesion_stays_contradicted(contradicted, patient, other, dermatologist, act):
    image, report, _result = contradicted
    if act == "lesion":
        correction = move_lesion(lesion=image.lesion, patient=other, by=dermatologist, reason=REASON)
    elif act == "merge":
        correction = merge_patients(duplicate=patient, survivor=other, by=dermatologist, reason=REASON)
    else:
        correction = void_visit(visit=image.visit, by=dermatologist, reason=REASON)
    assert ContradictedReport.objects.get().closed_at is None
    undo(correction=correction, by=dermatologist, reason=REASON)
    assert ContradictedReport.objects.get().closed_at is None
    assert ContradictedReport.objects.get().report == report


def test_a_signer_of_several_reports_gets_one_message_that_names_all(patient, dermatologist, clinic, mail_server):
    lesion = factories.LesionFactory(patient=patient)
    reports = [reported_as_nevus(lesion, age, dermatologist)[1] for age in (300, 200)]
    colleague = factories.MemberFactory(clinic=clinic, role="dermatologist", user__email="colleague@clinic.example")
    others = reported_as_nevus(lesion, 100, colleague)[1]
    confirmed(sent(lesion, dermatologist), dermatologist)
    assert ContradictedReport.objects.count() == 3
    deliver_due()
    texts = dict(mail_server.taken)
    assert len(mail_server.taken) == 2
    mine = texts[dermatologist.user.email]
    assert all(str(report.visit_id) in mine for report in reports)
    assert str(others.visit_id) not in mine
    assert str(others.visit_id) in texts["colleague@clinic.example"]
    assert all(word not in mine for word in (patient.family_name, patient.record_number, "elanoma", "nevus"))


def test_no_message_is_written_once_all_are_closed(contradicted, patient, dermatologist, mail_server):
    image, _report, _result = contradicted
    move_photograph(image=image, patient=patient, by=dermatologist, reason=REASON)
    deliver_due()
    assert mail_server.taken == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"closed_at": timezone.now()}, "contradicted_report_is_closed_by_someone_for_a_reason"),
        ({"closed_at": timezone.now(), "closing_reason": ""}, "contradicted_report_is_closed_by_someone_for_a_reason"),
        ({"said": "Nothing"}, "contradictedreport_is_append_only"),
    ],
)
def test_one_is_closed_by_someone_for_a_reason_and_says_what_it_said(contradicted, dermatologist, change, rule):
    if "closing_reason" in change:
        change = {**change, "closed_by": dermatologist}
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        ContradictedReport.objects.update(**change)


def test_one_that_is_closed_stays_closed(contradicted, patient, dermatologist):
    move_photograph(image=contradicted[0], patient=patient, by=dermatologist, reason=REASON)
    with pytest.raises(IntegrityError, match="contradictedreport_is_append_only"), transaction.atomic():
        ContradictedReport.objects.update(closing_reason="Another")
