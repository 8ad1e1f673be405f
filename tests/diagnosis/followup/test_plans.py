"""Plans of lesions: who states, closes and cancels them, and what the database refuses."""

import datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.followup.due_dates import due_date
from diagnosis.followup.errors import (
    CancelledWithoutAReason,
    DischargeHasNoDate,
    PlanChangedMeanwhile,
    PlanHasEnded,
    PlanNeedsADate,
    ResultIsReadByADermatologist,
    StepNeedsADermatologist,
    VisitOfAnotherPatient,
)
from diagnosis.followup.models import Ending, LesionPlan, NextStep
from diagnosis.followup.services import cancel_plan, complete_plan, state_plan
from tests import factories


def in_days(days: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=days)


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory(patient=patient)


def test_a_newer_plan_replaces_the_one_that_stood(lesion, dermatologist):
    first = state_plan(lesion=lesion, by=dermatologist, step=NextStep.SEE_AGAIN, due_on=in_days(90))
    second = state_plan(lesion=lesion, by=dermatologist, step=NextStep.BIOPSY, due_on=in_days(7), seen=first.pk)
    first.refresh_from_db()
    assert (first.ending, first.ended_by, first.step) == (Ending.REPLACED, dermatologist, NextStep.SEE_AGAIN)
    assert LesionPlan.objects.standing().get() == second


def test_a_stale_page_replaces_nothing(lesion, dermatologist):
    first = state_plan(lesion=lesion, by=dermatologist, step=NextStep.BIOPSY, due_on=in_days(9))
    with pytest.raises(PlanChangedMeanwhile):
        state_plan(lesion=lesion, by=dermatologist, step=NextStep.DISCHARGE, seen="")
    assert LesionPlan.objects.get() == first


@pytest.mark.parametrize("step", [step for step in NextStep if step != NextStep.SEE_AGAIN])
def test_staff_state_nothing_but_see_again(lesion, staff, step):
    due_on = None if step == NextStep.DISCHARGE else in_days(9)
    with pytest.raises(StepNeedsADermatologist):
        state_plan(lesion=lesion, by=staff, step=step, due_on=due_on)
    assert state_plan(lesion=lesion, by=staff, step=NextStep.SEE_AGAIN, due_on=in_days(9)).stated_by == staff


def test_staff_do_not_replace_what_a_dermatologist_decided(lesion, staff, dermatologist):
    biopsy = state_plan(lesion=lesion, by=dermatologist, step=NextStep.BIOPSY, due_on=in_days(9))
    with pytest.raises(StepNeedsADermatologist):
        state_plan(lesion=lesion, by=staff, step=NextStep.SEE_AGAIN, due_on=in_days(365))
    assert LesionPlan.objects.standing().get() == biopsy


def test_a_step_has_a_date_and_a_discharge_has_none(lesion, dermatologist):
    with pytest.raises(PlanNeedsADate):
        state_plan(lesion=lesion, by=dermatologist, step=NextStep.REFER)
    with pytest.raises(DischargeHasNoDate):
        state_plan(lesion=lesion, by=dermatologist, step=NextStep.DISCHARGE, due_on=in_days(3))


def test_a_plan_belongs_to_the_lesions_patient_and_clinic(lesion, dermatologist, stranger):
    other = factories.VisitFactory(patient=factories.PatientFactory(clinic=dermatologist.clinic))
    with pytest.raises(VisitOfAnotherPatient):
        state_plan(lesion=lesion, by=dermatologist, step=NextStep.SEE_AGAIN, due_on=in_days(3), visit=other)
    with pytest.raises(PermissionDenied):
        state_plan(lesion=lesion, by=stranger, step=NextStep.SEE_AGAIN, due_on=in_days(3))
    plan = factories.LesionPlanFactory(lesion=lesion)
    assert not LesionPlan.objects.visible_to(stranger).exists()
    for act in (lambda: complete_plan(plan=plan, by=stranger), lambda: cancel_plan(plan=plan, by=stranger, reason="")):
        with pytest.raises(PermissionDenied):
            act()


def test_a_biopsy_that_was_done_leaves_a_result_to_await(lesion, staff):
    plan = factories.LesionPlanFactory(lesion=lesion, step=NextStep.BIOPSY)
    following = complete_plan(plan=plan, by=staff)
    assert following is not None
    assert (following.step, following.due_on) == (NextStep.RESULT_AWAITED, in_days(14))
    with pytest.raises(ResultIsReadByADermatologist):
        complete_plan(plan=following, by=staff)
    with pytest.raises(PlanHasEnded):
        complete_plan(plan=plan, by=staff)


def test_a_plan_is_cancelled_by_a_dermatologist_for_a_reason(lesion, staff, dermatologist):
    plan = factories.LesionPlanFactory(lesion=lesion)
    with pytest.raises(PermissionDenied):
        cancel_plan(plan=plan, by=staff, reason="The patient has moved away.")
    with pytest.raises(CancelledWithoutAReason):
        cancel_plan(plan=plan, by=dermatologist, reason="-")
    cancel_plan(plan=plan, by=dermatologist, reason="The patient has moved away.")
    plan.refresh_from_db()
    assert (plan.ending, plan.ending_reason) == (Ending.CANCELLED, "The patient has moved away.")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"step": "wait"}, "plan_step_is_known"),
        ({"due_on": None}, "plan_has_a_date_unless_it_is_a_discharge"),
        ({"step": "discharge"}, "plan_has_a_date_unless_it_is_a_discharge"),
        ({"due_on": datetime.date(1026, 5, 1)}, "plan_has_a_date_unless_it_is_a_discharge"),
        ({"ending": "done"}, "plan_is_ended_by_someone_in_a_known_way"),
        ({"ended_at": timezone.now()}, "plan_is_ended_by_someone_in_a_known_way"),
    ],
)
def test_the_database_refuses(lesion, changes, rule):
    with pytest.raises(IntegrityError, match=rule):
        factories.LesionPlanFactory(lesion=lesion, **changes)


def test_the_database_knows_how_a_plan_may_end(lesion, dermatologist):
    ended = {"ended_by": dermatologist, "ended_at": timezone.now() + datetime.timedelta(hours=1)}
    visit = factories.VisitFactory(patient=lesion.patient)
    for changes, rule in (
        ({"ending": "cancelled"}, "plan_is_cancelled_for_a_reason"),
        ({"ending": "cancelled", "ending_reason": ""}, "plan_is_cancelled_for_a_reason"),
        (
            {"ending": "cancelled", "ending_reason": "Moved away.", "ended_at_visit": visit},
            "plan_that_ends_at_a_visit_is_done_or_replaced",
        ),
        ({"ending": "lost"}, "plan_is_ended_by_someone_in_a_known_way"),
    ):
        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            factories.LesionPlanFactory(lesion=lesion, **ended, **changes)


def test_a_lesion_has_one_standing_plan(lesion):
    factories.LesionPlanFactory(lesion=lesion)
    with pytest.raises(IntegrityError, match=r"one_standing_plan_a_lesion|lesion_id"):
        factories.LesionPlanFactory(lesion=lesion)


def test_what_was_stated_never_changes(lesion, dermatologist):
    plan = factories.LesionPlanFactory(lesion=lesion)
    rows = LesionPlan.objects.filter(pk=plan.pk)
    cancel_plan(plan=plan, by=dermatologist, reason="The patient has moved away.")
    for change in ({"due_on": in_days(9)}, {"note": "x"}, {"step": "biopsy"}, {"ending": "done"}, {"ended_at": None}):
        with pytest.raises(IntegrityError, match="lesion_plan_is_append_only"), transaction.atomic():
            rows.update(**change)


def test_months_end_on_a_day_that_exists():
    assert due_date("3m", start=datetime.date(2026, 11, 30)) == datetime.date(2027, 2, 28)
    assert due_date("12m", start=datetime.date(2028, 2, 29)) == datetime.date(2029, 2, 28)
    assert due_date("2w", start=datetime.date(2026, 12, 25)) == datetime.date(2027, 1, 8)


@pytest.mark.parametrize(
    ("sent", "days"),
    [
        ({"due_in": "2w"}, 14),
        ({"due_in": "2w", "due_on": in_days(14).isoformat()}, 14),
        ({"due_on": in_days(45).isoformat(), "due_in": "date"}, 45),
    ],
)
def test_a_plan_is_stated_on_the_lesions_page(sign_in, lesion, staff, sent, days):
    client, page = sign_in(staff), reverse("lesion-plan", args=[lesion.pk])
    assert [value for value, _label in client.get(page).context["form"]["step"].field.choices] == ["see_again"]
    response = client.post(page, {"step": "see_again", "seen": "", "note": "By phone", **sent})
    assert response.status_code == 302
    plan = LesionPlan.objects.get()
    assert (plan.due_on, plan.note, plan.stated_by) == (in_days(days), "By phone", staff)
    assert "By phone" in client.get(lesion.get_absolute_url()).text


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"step": "see_again"},
        {"step": "see_again", "due_in": "date"},
        {"step": "see_again", "due_in": "99m"},
        {"step": "see_again", "due_in": "3m", "due_on": in_days(1).isoformat()},
        {"step": "see_again", "due_in": "3m", "due_on": "2026-02-31"},
        {"step": "see_again", "due_on": "2026-02-31"},
        {"step": "see_again", "due_on": "1999-01-01"},
        {"step": "see_again", "due_on": "9999-12-31"},
        {"step": "see_again", "due_in": "1w", "note": "x" * 301},
        {"step": "biopsy", "due_in": "1w"},
        {"step": "\0", "due_in": "\0", "seen": "\0"},
    ],
)
def test_what_cannot_be_a_plan_is_refused_in_words(sign_in, lesion, staff, sent):
    response = sign_in(staff).post(reverse("lesion-plan", args=[lesion.pk]), sent)
    assert response.status_code == 422
    assert response.context["form"].errors
    assert not LesionPlan.objects.exists()


def test_a_stale_plan_page_shows_the_plan_as_it_is(sign_in, lesion, dermatologist):
    newer = factories.LesionPlanFactory(lesion=lesion, step=NextStep.BIOPSY)
    page = reverse("lesion-plan", args=[lesion.pk])
    response = sign_in(dermatologist).post(page, {"step": "discharge", "seen": ""})
    assert response.status_code == 409
    assert response.context["form"]["seen"].value() == str(newer.pk)
    assert LesionPlan.objects.standing().get() == newer


def test_a_plan_is_closed_and_cancelled_on_pages(sign_in, lesion, staff, dermatologist):
    plan = factories.LesionPlanFactory(lesion=lesion)
    assert sign_in(staff).post(reverse("plan-done", args=[plan.pk])).status_code == 302
    plan.refresh_from_db()
    assert plan.ending == Ending.DONE
    again = factories.LesionPlanFactory(lesion=lesion)
    cancel = reverse("plan-cancel", args=[again.pk])
    assert sign_in(dermatologist).post(cancel, {"reason": "x"}).status_code == 422
    assert sign_in(dermatologist).post(cancel, {"reason": "The patient has moved away."}).status_code == 302
    again.refresh_from_db()
    assert again.ending == Ending.CANCELLED
