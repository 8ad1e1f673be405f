"""The header's number, whose SQL is compiled for one member and run for others, is everybody's own."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from diagnosis.followup.models import NextStep
from diagnosis.opinions.models import OpinionRequest
from diagnosis.record.today import counting, page
from diagnosis.record.today.keys import count
from diagnosis.record.today.sections import Scope
from patients.models import Member, Role
from tests import factories
from tests.diagnosis.outcomes.records import days_ago, entered, photographed, sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_clinics(clinic, other_clinic) -> list[Member]:
    """Members of each role in two clinics, of whom each has something else that waits."""
    members: list[Any] = [
        factories.MemberFactory(clinic=each, role=role)
        for each in (clinic, other_clinic)
        for role in Role
        for _n in "ab"
    ]
    for number, each in enumerate((clinic, other_clinic), start=1):
        patient = factories.PatientFactory(clinic=each)
        staff = next(member for member in members if member.clinic == each and member.role == Role.STAFF)
        for _ in range(number):
            sent(photographed(patient, 80), staff, age=41)
            entered(sent(photographed(patient, 20), staff), staff, "nv")
        factories.LesionPlanFactory(lesion=photographed(patient, 9), step=NextStep.SEE_AGAIN, due_on=days_ago(-2))
        first, second = [member for member in members if member.clinic == each and member.role == Role.DERMATOLOGIST]
        now = timezone.now()
        for _ in range(number):
            OpinionRequest.objects.create(
                lesion=photographed(patient, 5), asked_by=first, colleague=second, question="Is it growing?",
                created_at=now, expires_at=now + datetime.timedelta(days=7),
            )  # fmt: skip
    return members


@pytest.mark.parametrize("name", ["_pressing", "_waiting"])
def test_what_is_compiled_for_one_counts_for_all(two_clinics, name, django_assert_num_queries):
    lists_of = getattr(page, name)
    directly = [sum(count(rows) for rows in lists_of(Scope(member))) for member in two_clinics]
    prepared = counting.PreparedCount(lists_of)
    for members in (two_clinics, two_clinics[::-1]):
        with django_assert_num_queries(len(two_clinics)):
            assert {member.pk: prepared.of(member) for member in members} == dict(
                zip([member.pk for member in two_clinics], directly, strict=True)
            )
    assert len(set(directly)) > 1, "clinics differ"


def test_what_becomes_late_is_counted_within_a_minute(patient, staff, monkeypatch):
    sent(photographed(patient, 80), staff, age=1)
    prepared = counting.PreparedCount(page._pressing)
    assert prepared.of(staff) == 0
    later = timezone.now() + datetime.timedelta(days=60)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert prepared.of(staff) == 1
