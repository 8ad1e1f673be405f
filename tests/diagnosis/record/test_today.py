"""Today: what is listed, for whom, in which order, and that nothing falls off it."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from diagnosis.followup.models import NextStep, TodayFilter
from diagnosis.record.today.page import header_count
from diagnosis.reviews.models import QueueEntry
from tests import factories
from tests.hooks import codes

SECTIONS = [
    "urgent", "visits", "results", "unplanned", "contradicted", "procedures", "overdue", "due", "reminders", "drafts",
]  # fmt: skip


def in_days(days: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=days)


def planned(clinic, days: int, **values):
    lesion = factories.LesionFactory(patient=factories.PatientFactory(clinic=clinic))
    return factories.LesionPlanFactory(lesion=lesion, due_on=in_days(days), **values)


def waiting(lesion, priority: float, reason: str = "urgent", visit=None):
    image = factories.ImageFactory(lesion=lesion, **({"visit": visit} if visit else {}))
    return QueueEntry.objects.create(
        image=image,
        clinic=lesion.patient.clinic,
        state="waiting",
        needs=1,
        reason=reason,
        reasons=[reason],
        priority=priority,
        entered_at=timezone.now(),
    )


def found(client) -> dict[str, int]:
    return {section.code.value: section.found for section in client.get(reverse("today")).context["sections"]}


def test_each_section_holds_what_it_says(sign_in, clinic, staff, other_clinic):
    lesion = factories.LesionFactory(patient=factories.PatientFactory(clinic=clinic))
    earlier = factories.VisitFactory(patient=lesion.patient, date=in_days(-3))
    for priority in (101.0, 109.0):
        waiting(lesion, priority, visit=earlier)
    waiting(factories.LesionFactory(patient=lesion.patient), 45.0, reason="random_share", visit=earlier)
    factories.VisitFactory(patient=lesion.patient)
    for days, step in ((-1, "see_again"), (0, "see_again"), (7, "see_again"), (8, "see_again")):
        planned(clinic, days, step=step)
    for step in (NextStep.RESULT_AWAITED, NextStep.BIOPSY, NextStep.REFER):
        planned(clinic, 40, step=step)
    planned(other_clinic, -9)
    factories.VisitFactory(patient=factories.PatientFactory(clinic=other_clinic))

    client = sign_in(staff)
    assert list(found(client)) == SECTIONS
    assert found(client) == {
        "urgent": 1,
        "visits": 1,
        "results": 1,
        "unplanned": 0,
        "contradicted": 0,
        "procedures": 2,
        "overdue": 1,
        "due": 2,
        "reminders": 0,
        "drafts": 1,
    }
    (urgent,) = client.get(reverse("today")).context["sections"][0].rows
    assert urgent.url == QueueEntry.objects.in_order()[0].image.get_absolute_url()


def test_the_header_counts_what_is_urgent_or_overdue(clinic, staff, other_clinic):
    planned(clinic, 3)
    assert (header_count(staff).words, header_count(staff).is_pressing) == ("1", False)
    for step in (NextStep.SEE_AGAIN, NextStep.BIOPSY):
        planned(clinic, -3, step=step)
    planned(other_clinic, -3)
    waiting(factories.LesionFactory(patient=factories.PatientFactory(clinic=clinic)), 100.0)
    assert (header_count(staff).words, header_count(staff).is_pressing) == ("3", True)


def test_a_long_section_is_cut_and_paged(sign_in, clinic, staff):
    for _number in range(27):
        planned(clinic, -5)
    client = sign_in(staff)
    section = next(each for each in client.get(reverse("today")).context["sections"] if each.code == "overdue")
    assert (len(section.rows), section.found, section.has_more) == (20, 27, True)
    pages = [client.get(reverse("today-section", args=["overdue"]), {"page": page}) for page in ("1", "2", "x")]
    assert [len(page.context["rows"]) for page in pages] == [25, 2, 25]
    assert client.get("/today/nothing/").status_code == 404


def test_an_overdue_recall_stays_when_the_record_changes(sign_in, clinic, staff):
    plan = planned(clinic, -100)
    plan.lesion.patient.family_name = "Newly-Married"
    plan.lesion.patient.save()
    factories.VisitFactory(patient=plan.lesion.patient)
    client = sign_in(staff)
    assert found(client)["overdue"] == 1
    client.post(reverse("plan-done", args=[plan.pk]))
    assert found(client)["overdue"] == 0


def test_a_members_filter_is_kept_and_said(sign_in, clinic, staff, dermatologist):
    planned(clinic, -5, stated_by=dermatologist)
    mine = planned(clinic, -5, stated_by=staff)
    client, address = sign_in(staff), reverse("today-filter")
    client.post(address, {"whose": "mine", "body_site": "", "section": "overdue"})
    page = sign_in(staff).get(reverse("today"))
    (section,) = page.context["sections"]
    assert [row.patient for row in section.rows] == [mine.lesion.patient]
    assert "today-filtered" in page.text
    assert header_count(staff).found == 2, "the header counts what the filter hides"
    client.post(address, {"whose": "mine", "body_site": "nose"})
    assert found(client)["overdue"] == 0
    client.post(address)
    assert found(client)["overdue"] == 2
    assert not TodayFilter.objects.exists()


@pytest.mark.parametrize("sent", [{"whose": "yours"}, {"whose": "all", "body_site": "moon"}, {"whose": "\0"}])
def test_a_filter_that_does_not_exist_is_refused(sign_in, staff, sent):
    response = sign_in(staff).post(reverse("today-filter"), sent, follow=True)
    assert "no_such_filter" in codes(response.text)
    assert not TodayFilter.objects.exists()
