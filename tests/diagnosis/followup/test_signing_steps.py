"""Signing asks for next steps, writes them with the report, and forgets nothing that was planned."""

import datetime
import json

import pytest
from django.urls import reverse
from django.utils import timezone

from diagnosis.followup.at_signing import Chosen
from diagnosis.followup.errors import DischargeUnexplained, NextStepMissing, PlanChangedMeanwhile
from diagnosis.followup.models import Ending, LesionPlan, NextStep
from diagnosis.images.models import Prediction
from diagnosis.reports.errors import PlanMissing
from diagnosis.reports.models import Report
from diagnosis.reports.services import sign_visit
from tests import factories
from tests.diagnosis.reporting import MELANOMA, NEVUS, confirm, photographed_visit

# Rendering the PDF takes seconds.
pytestmark = pytest.mark.slow


def in_days(days: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=days)


@pytest.fixture
def visit(patient):
    return photographed_visit(patient, MELANOMA, plan="The spot is cut out.")


def lesion_of(visit):
    return visit.images.first().lesion


@pytest.mark.parametrize("tier", ["urgent", "watch"])
def test_what_is_not_calm_is_not_signed_without_a_next_step(visit, dermatologist, tier):
    Prediction.objects.update(tier=tier)
    with pytest.raises(NextStepMissing):
        sign_visit(visit=visit, by=dermatologist, next_steps={})
    steps = {lesion_of(visit).pk: Chosen(NextStep.BIOPSY, due_on=in_days(7))}
    report = sign_visit(visit=visit, by=dermatologist, next_steps=steps)
    plan = LesionPlan.objects.get()
    assert (plan.step, plan.due_on, plan.visit, plan.stated_by) == ("biopsy", in_days(7), visit, dermatologist)
    text = json.loads(report.content)["visit"]["plan"]
    assert text.startswith("The spot is cut out.\n\nLesion ")
    assert text.count("Lesion ") == 1


def test_a_label_of_danger_needs_a_next_step_whatever_the_software_says(patient, dermatologist):
    visit = photographed_visit(patient, NEVUS, plan="See the plan.")
    confirm(visit, dermatologist, code="akiec")
    with pytest.raises(NextStepMissing):
        sign_visit(visit=visit, by=dermatologist, next_steps={})


def test_a_calm_lesion_needs_none(patient, dermatologist):
    visit = photographed_visit(patient, NEVUS, plan="Nothing to do.")
    assert visit.images.get().predictions.get().tier == "calm"
    sign_visit(visit=visit, by=dermatologist, next_steps={})
    assert not LesionPlan.objects.exists()


def test_a_next_step_is_a_plan(visit, dermatologist):
    dangerous = lesion_of(visit)
    visit.plan = ""
    visit.save()
    with pytest.raises(PlanMissing):
        sign_visit(visit=visit, by=dermatologist)
    other = photographed_visit(visit.patient, NEVUS)
    calm = other.images.get()
    calm.visit = visit
    calm.save()
    steps = {calm.lesion_id: Chosen(NextStep.SEE_AGAIN, due_on=in_days(90))}
    with pytest.raises(PlanMissing):
        sign_visit(visit=visit, by=dermatologist, next_steps=steps)
    report = sign_visit(
        visit=visit,
        by=dermatologist,
        next_steps={**steps, dangerous.pk: Chosen(NextStep.REFER, due_on=in_days(3))},
    )
    assert len(json.loads(report.content)["visit"]["plan"].splitlines()) == 2


def test_discharging_what_is_not_calm_is_explained(visit, dermatologist):
    key = lesion_of(visit).pk
    with pytest.raises(DischargeUnexplained):
        sign_visit(visit=visit, by=dermatologist, next_steps={key: Chosen(NextStep.DISCHARGE)})
    steps = {key: Chosen(NextStep.DISCHARGE, note="Treated at the county hospital.")}
    sign_visit(visit=visit, by=dermatologist, next_steps=steps)
    assert LesionPlan.objects.get().note == "Treated at the county hospital."


def test_an_earlier_discharge_does_not_answer_for_what_was_seen_since(visit, dermatologist):
    factories.LesionPlanFactory(lesion=lesion_of(visit), step=NextStep.DISCHARGE, due_on=None, note="Benign.")
    with pytest.raises(NextStepMissing):
        sign_visit(visit=visit, by=dermatologist, next_steps={lesion_of(visit).pk: Chosen("keep")})


def test_a_plan_that_stands_answers(visit, dermatologist):
    plan = factories.LesionPlanFactory(lesion=lesion_of(visit), step=NextStep.RESULT_AWAITED)
    report = sign_visit(visit=visit, by=dermatologist, next_steps={})
    assert LesionPlan.objects.standing().get() == plan
    assert "laboratory" in json.loads(report.content)["visit"]["plan"]


def test_a_recall_whose_day_has_come_is_done_by_the_visit(patient, dermatologist):
    visit = photographed_visit(patient, NEVUS, plan="Nothing to do.")
    plan = factories.LesionPlanFactory(lesion=lesion_of(visit), due_on=in_days(-40))
    sign_visit(visit=visit, by=dermatologist, next_steps={})
    plan.refresh_from_db()
    assert (plan.ending, plan.ended_at_visit, plan.ended_by) == (Ending.DONE, visit, dermatologist)


def test_a_recall_for_later_stays(patient, dermatologist):
    visit = photographed_visit(patient, NEVUS, plan="Nothing to do.")
    plan = factories.LesionPlanFactory(lesion=lesion_of(visit), due_on=in_days(200))
    other = factories.LesionPlanFactory(lesion=factories.LesionFactory(patient=patient), due_on=in_days(-200))
    sign_visit(visit=visit, by=dermatologist, next_steps={})
    assert set(LesionPlan.objects.standing()) == {plan, other}


def test_a_plan_that_a_colleague_changed_is_not_replaced(visit, dermatologist):
    factories.LesionPlanFactory(lesion=lesion_of(visit))
    steps = {lesion_of(visit).pk: Chosen(NextStep.BIOPSY, due_on=in_days(7), seen="")}
    with pytest.raises(PlanChangedMeanwhile):
        sign_visit(visit=visit, by=dermatologist, next_steps=steps)
    assert not Report.objects.exists()
    assert LesionPlan.objects.standing().get().step == NextStep.SEE_AGAIN


def test_the_signing_page_asks_refuses_and_stores(sign_in, visit, dermatologist):
    client, address = sign_in(dermatologist), reverse("visit-sign", args=[visit.pk])
    page = client.get(address)
    (step,) = page.context["steps"].forms
    assert step.is_needed
    sent = {"plan": visit.plan, "seen": page.context["form"]["seen"].value(), "made_from": ""}
    sent["made_from"] = page.context["form"].made_from
    assert client.post(address, sent).status_code == 422
    dateless = {**sent, f"{step.prefix}-step": "biopsy", f"{step.prefix}-seen": ""}
    assert client.post(address, dateless).status_code == 422
    assert not Report.objects.exists()
    response = client.post(address, {**dateless, f"{step.prefix}-due_in": "1w"})
    assert response.status_code == 302
    assert LesionPlan.objects.get().due_on == in_days(7)


def test_a_stale_signing_page_shows_the_new_plan(sign_in, visit, dermatologist):
    client, address = sign_in(dermatologist), reverse("visit-sign", args=[visit.pk])
    page = client.get(address)
    (step,) = page.context["steps"].forms
    plan = factories.LesionPlanFactory(lesion=lesion_of(visit), step=NextStep.BIOPSY)
    sent = {
        "plan": visit.plan,
        "seen": page.context["form"]["seen"].value(),
        "made_from": page.context["form"].made_from,
        f"{step.prefix}-step": "see_again",
        f"{step.prefix}-due_in": "12m",
        f"{step.prefix}-seen": "",
    }
    response = client.post(address, sent)
    assert response.status_code == 409
    (again,) = response.context["steps"].forms
    assert again["seen"].value() == str(plan.pk)
    assert not Report.objects.exists()
