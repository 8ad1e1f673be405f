"""Plans that follow by themselves from specimens, results, closures and decisions made with reviews."""

import datetime

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.followup.due_dates import months_later
from diagnosis.followup.models import Ending, LesionPlan, NextStep, PlanSource
from diagnosis.followup.unplanned import reopened_without_a_plan, results_without_a_plan
from diagnosis.outcomes.closures import close_lesion, reopen_lesion
from diagnosis.outcomes.pathology import withdraw_result
from diagnosis.outcomes.specimens import withdraw_specimen
from diagnosis.reviews.queue import refresh_queue_entry
from tests import factories
from tests.diagnosis.outcomes.records import confirmed, days_ago, entered, photographed, sent

pytestmark = pytest.mark.django_db


def in_days(days: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=days)


@pytest.fixture
def lesion(patient):
    return photographed(patient, 20)


def standing(lesion) -> tuple[str, datetime.date | None] | None:
    plan = LesionPlan.objects.standing().filter(lesion=lesion).first()
    return (plan.step, plan.due_on) if plan else None


def planned(lesion, dermatologist, step=NextStep.BIOPSY, days: int | None = 9) -> LesionPlan:
    due_on = None if days is None else in_days(days)
    return factories.LesionPlanFactory(lesion=lesion, step=step, due_on=due_on, stated_by=dermatologist)


class TestSpecimens:
    def test_a_specimen_ends_the_biopsy_and_its_result_is_awaited(self, sign_in, lesion, staff, dermatologist):
        biopsy = planned(lesion, dermatologist)
        nurse = sign_in(staff)
        page = nurse.get(reverse("specimen-new", args=[lesion.pk]))
        form = page.context["form"]
        data = {name: form[name].value() or "" for name in form.fields}
        data |= {"kind": "punch", "sent_on": days_ago(3).isoformat(), "number": "H26-5"}
        assert nurse.post(reverse("specimen-new", args=[lesion.pk]), data).status_code == 302
        biopsy.refresh_from_db()
        assert (biopsy.ending, biopsy.ended_by) == (Ending.DONE, staff)
        assert standing(lesion) == ("result_awaited", in_days(11))
        assert PlanSource.objects.get(specimen__number="H26-5").replaced == biopsy
        assert "Result awaited" in nurse.get(lesion.get_absolute_url()).text

    def test_a_second_specimen_leaves_the_earlier_date(self, lesion, staff):
        sent(lesion, staff, age=10)
        sent(lesion, staff, age=2)
        assert standing(lesion) == ("result_awaited", in_days(4))
        assert LesionPlan.objects.count() == 1

    def test_a_specimen_of_long_ago_is_recorded_all_the_same(self, lesion, staff):
        sent(lesion, staff, age=30 * 366)
        assert standing(lesion) == ("result_awaited", datetime.date(2000, 1, 1))

    @pytest.mark.parametrize("step", [NextStep.BIOPSY, NextStep.SEE_AGAIN, NextStep.DISCHARGE])
    def test_withdrawing_it_restores_what_stood(self, lesion, staff, dermatologist, step):
        earlier = planned(lesion, dermatologist, step, None if step == NextStep.DISCHARGE else 40)
        specimen = sent(lesion, staff)
        withdraw_specimen(specimen=specimen, by=staff, reason="Another patient's tissue.")
        assert standing(lesion) == (step, earlier.due_on)
        wait = LesionPlan.objects.get(step="result_awaited")
        assert wait.ending == Ending.CANCELLED
        assert "Another patient's tissue." in (wait.ending_reason or "")

    def test_withdrawing_one_of_two_still_waits(self, lesion, staff):
        first = sent(lesion, staff)
        sent(lesion, staff)
        withdraw_specimen(specimen=first, by=staff, reason="Recorded twice.")
        assert standing(lesion) == ("result_awaited", in_days(4))

    def test_what_a_member_awaits_by_hand_is_not_taken_back(self, lesion, staff, dermatologist):
        planned(lesion, dermatologist, NextStep.RESULT_AWAITED, 5)
        withdraw_specimen(specimen=sent(lesion, staff), by=staff, reason="Recorded by mistake.")
        assert standing(lesion) == ("result_awaited", in_days(5))


class TestResults:
    def test_the_wait_ends_with_the_confirmation_and_not_before(self, sign_in, lesion, staff, dermatologist):
        result = entered(sent(lesion, staff), staff, "mel")
        assert standing(lesion) == ("result_awaited", in_days(4))
        sign_in(dermatologist).post(reverse("pathology-confirm", args=[result.pk]))
        assert standing(lesion) is None
        wait = LesionPlan.objects.get()
        assert (wait.ending, wait.ended_by) == (Ending.DONE, dermatologist)

    @pytest.mark.parametrize(
        ("answer", "facts", "is_listed"),
        [
            ("mel", {}, True),
            ("akiec", {}, True),
            ("cannot_tell", {}, True),
            ("other", {"other_text": "spindle cells"}, True),
            ("nv", {}, False),
            ("other_benign", {"other_text": "a scar"}, False),
        ],
    )
    def test_what_is_not_benign_needs_a_next_step(self, lesion, staff, dermatologist, answer, facts, is_listed):
        planned(lesion, dermatologist, NextStep.SEE_AGAIN, 90)
        result = confirmed(sent(lesion, staff), dermatologist, answer, **facts)
        listed = [result] if is_listed else []
        assert list(results_without_a_plan(staff)) == listed
        # A recall that the wait had replaced must not hide that the result asks for a decision.
        assert standing(lesion) == (None if is_listed else ("see_again", in_days(90)))

    def test_a_plan_or_a_closure_since_answers_it(self, lesion, staff, dermatologist, stranger):
        confirmed(sent(lesion, staff), dermatologist, "mel")
        assert not results_without_a_plan(stranger).exists()
        plan = planned(lesion, dermatologist)
        assert not results_without_a_plan(staff).exists()
        plan.ending, plan.ended_by, plan.ended_at = Ending.DONE, dermatologist, timezone.now()
        plan.save()
        assert results_without_a_plan(staff).exists(), "what was done leaves no plan"
        close_lesion(lesion=lesion, by=dermatologist, why="excised")
        assert not results_without_a_plan(staff).exists()

    def test_an_amended_result_is_answered_by_no_earlier_plan(self, lesion, staff, dermatologist):
        specimen = sent(lesion, staff)
        confirmed(specimen, dermatologist, "nv")
        planned(lesion, dermatologist, NextStep.SEE_AGAIN, 365)
        amended = confirmed(specimen, dermatologist, "mel", reason="Second reading by another laboratory.")
        assert list(results_without_a_plan(staff)) == [amended]

    def test_one_of_two_results_ends_no_wait(self, lesion, staff, dermatologist):
        first = sent(lesion, staff)
        sent(lesion, staff)
        confirmed(first, dermatologist, "nv")
        assert standing(lesion) == ("result_awaited", in_days(4))

    def test_withdrawing_the_result_waits_again(self, lesion, staff, dermatologist):
        result = confirmed(sent(lesion, staff), dermatologist, "mel")
        withdraw_result(result=result, by=dermatologist, reason="Entered for another patient.")
        assert standing(lesion) == ("result_awaited", in_days(4))
        assert not results_without_a_plan(staff).exists()

    def test_after_an_excision_that_finds_nothing_the_melanoma_still_needs_a_plan(self, lesion, staff, dermatologist):
        melanoma = confirmed(sent(lesion, staff, age=20), dermatologist, "mel")
        planned(lesion, dermatologist)
        confirmed(sent(lesion, staff, age=5, kind="excision"), dermatologist, "other_benign", other_text="scar")
        assert standing(lesion) is None
        assert list(results_without_a_plan(staff)) == [melanoma]


class TestClosures:
    def test_closing_ends_the_plan_for_its_reason(self, sign_in, lesion, dermatologist):
        plan = planned(lesion, dermatologist, NextStep.SEE_AGAIN)
        client = sign_in(dermatologist)
        form = client.get(reverse("lesion-close", args=[lesion.pk])).context["form"]
        data = {name: form[name].value() or "" for name in form.fields}
        client.post(reverse("lesion-close", args=[lesion.pk]), {**data, "why": "gone", "note": "Fell off."})
        plan.refresh_from_db()
        assert plan.ending == Ending.CANCELLED
        assert "No longer there. Fell off." in (plan.ending_reason or "")

    def test_closing_needs_no_plan_and_leaves_a_discharge(self, patient, lesion, dermatologist):
        close_lesion(lesion=lesion, by=dermatologist, why="gone")
        discharged = photographed(patient, 20)
        planned(discharged, dermatologist, NextStep.DISCHARGE, None)
        close_lesion(lesion=discharged, by=dermatologist, why="harmless", note="x" * 900)
        assert standing(discharged) == ("discharge", None)

    def test_the_longest_note_fits(self, lesion, dermatologist):
        planned(lesion, dermatologist)
        close_lesion(lesion=lesion, by=dermatologist, why="other", note="Moved away. " * 200)
        assert standing(lesion) is None

    def test_a_reopened_lesion_needs_a_plan(self, lesion, staff, dermatologist):
        planned(lesion, dermatologist)
        closure = close_lesion(lesion=lesion, by=dermatologist, why="gone")
        assert not reopened_without_a_plan(staff).exists()
        reopen_lesion(lesion=lesion, by=dermatologist, reason="It has come back.")
        assert list(reopened_without_a_plan(staff)) == [closure]
        planned(lesion, dermatologist, NextStep.SEE_AGAIN)
        assert not reopened_without_a_plan(staff).exists()


class TestDecisions:
    @pytest.fixture(autouse=True)
    def _nobody_is_drawn(self, settings):
        settings.REVIEW_RANDOM_SHARE = 0

    def decide(self, client, lesion, **decision) -> str:
        image = lesion.images.get()
        refresh_queue_entry(image=image)
        address = reverse("admin:review-lesion", args=[image.visit_id, lesion.pk])
        sent_ = {"answer": "nv", "certainty": "probable", "photographs": [str(image.pk)], **decision}
        assert client.post(address, sent_).status_code == 302
        return address

    @pytest.mark.parametrize(
        ("decision", "step", "due_on"),
        [
            ({"decision": "excise"}, "biopsy", in_days(14)),
            ({"decision": "biopsy"}, "biopsy", in_days(14)),
            ({"decision": "follow", "months": "6"}, "see_again", months_later(timezone.localdate(), 6)),
            ({"decision": "refer"}, "refer", in_days(14)),
            ({"decision": "discharge"}, "discharge", None),
        ],
    )
    def test_a_decision_is_the_plan(self, sign_in, lesion, dermatologist, decision, step, due_on):
        earlier = planned(lesion, dermatologist, NextStep.SEE_AGAIN, 30)
        self.decide(sign_in(dermatologist), lesion, **decision)
        assert standing(lesion) == (step, due_on)
        plan = LesionPlan.objects.standing().get()
        assert (plan.stated_by, plan.source.replaced) == (dermatologist, earlier)
        assert plan.visit == lesion.images.get().visit

    def test_a_withdrawn_decision_gives_back_the_plan_before(self, sign_in, lesion, dermatologist):
        planned(lesion, dermatologist, NextStep.BIOPSY, 5)
        client = sign_in(dermatologist)
        self.decide(client, lesion, decision="discharge")
        client.post(reverse("admin:review-undo"))
        assert standing(lesion) == ("biopsy", in_days(5))
        assert LesionPlan.objects.get(step="discharge").ending == Ending.CANCELLED

    def test_a_plan_that_was_stated_since_stays(self, sign_in, lesion, dermatologist):
        client = sign_in(dermatologist)
        self.decide(client, lesion, decision="discharge")
        seen = LesionPlan.objects.standing().get().pk
        form = {"step": "refer", "due_in": "1w", "seen": str(seen)}
        client.post(reverse("lesion-plan", args=[lesion.pk]), form)
        client.post(reverse("admin:review-undo"))
        assert standing(lesion) == ("refer", in_days(7))

    def test_a_withdrawn_decision_does_not_come_back_with_a_withdrawn_specimen(self, sign_in, lesion, dermatologist):
        planned(lesion, dermatologist, NextStep.SEE_AGAIN, 30)
        client = sign_in(dermatologist)
        self.decide(client, lesion, decision="excise")
        specimen = sent(lesion, dermatologist)
        client.post(reverse("admin:review-undo"))
        assert standing(lesion) == ("result_awaited", in_days(4)), "tissue was sent, whatever was decided"
        withdraw_specimen(specimen=specimen, by=dermatologist, reason="Never sent.")
        assert standing(lesion) == ("see_again", in_days(30))


def test_the_database_keeps_why_a_plan_was_stated(lesion, staff, dermatologist):
    sent(lesion, staff)
    source = PlanSource.objects.get()
    with pytest.raises(IntegrityError, match="plan_source_is_append_only"), transaction.atomic():
        PlanSource.objects.update(specimen=None)
    plan = planned(photographed(lesion.patient, 5), dermatologist)
    with pytest.raises(IntegrityError, match="plan_source_is_named"), transaction.atomic():
        PlanSource.objects.create(plan=plan, replaced=source.plan)
