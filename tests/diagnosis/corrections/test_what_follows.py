"""What else refers to a lesion or a visit goes where it belongs, is said before, and comes back."""

import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.corrections.acts.lesion import move_lesion
from diagnosis.corrections.acts.photograph import move_photograph
from diagnosis.corrections.acts.visit import move_visit
from diagnosis.corrections.acts.void import void_visit
from diagnosis.corrections.carrying_out import undo
from diagnosis.corrections.errors import CannotCorrect, CannotUndo, DangerNeedsDermatologist
from diagnosis.corrections.models import Correction
from diagnosis.followup.errors import VisitOfAnotherPatient
from diagnosis.followup.models import LesionPlan, ReminderStop
from diagnosis.followup.reminder_choices import choose_reminders, stop_reminders
from diagnosis.followup.reminders import queue_reminders
from diagnosis.followup.services import cancel_plan, state_plan
from diagnosis.images.facts import StatedFacts, facts_now, store_facts
from diagnosis.opinions.models import OpinionRequest, OpinionState
from diagnosis.opinions.services import ask_for_opinion
from diagnosis.outcomes.errors import OfAnotherPatient
from diagnosis.outcomes.models import Specimen
from diagnosis.outcomes.pathology import withdraw_result
from diagnosis.reviews.lesion_reviews import LesionAtVisit, record_lesion_review
from diagnosis.reviews.models import ManagementDecision, ReviewGroup
from patients.lesion_symptom_rows import symptoms_of_lesion
from patients.models import LesionPlacement, LesionSymptoms, OutgoingMessage, Role
from patients.outbox import deliver
from patients.services import record_symptoms
from patients.services.lesions import LesionOfAnotherPatient
from patients.services.risk import risk_facts_of
from tests import factories
from tests.diagnosis.corrections.conftest import REASON
from tests.diagnosis.outcomes.records import confirmed, entered, sent
from tests.page_forms import filled_in

pytestmark = pytest.mark.django_db


def in_days(days: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=days)


def rows_agree() -> bool:
    """Whether each row that names a lesion and a visit names those of one patient."""
    pairs = [
        (row.lesion.patient_id, visit.patient_id)
        for table in (LesionSymptoms, Specimen, LesionPlan, ReviewGroup)
        for row in table.objects.select_related("lesion")
        for visit in (row.visit, getattr(row, "ended_at_visit", None))
        if visit is not None
    ]
    return all(of_lesion == of_visit for of_lesion, of_visit in pairs)


def snapshot() -> dict:
    """The places of all rows that a correction may move."""
    columns: dict[Any, tuple[str, ...]] = {
        LesionSymptoms: ("lesion", "visit", "number"),
        Specimen: ("lesion", "visit"),
        LesionPlan: ("lesion", "visit", "ended_at_visit"),
        ReviewGroup: ("lesion", "visit"),
        ManagementDecision: ("lesion",),
        LesionPlacement: ("lesion", "number"),
    }
    return {
        table.__name__: sorted(map(str, table.objects.order_by().values_list("pk", *names)))
        for table, names in columns.items()
    }


@pytest.fixture
def followed(photographs, staff, dermatologist):
    """A photographed lesion with symptoms, a specimen, a plan, a place, and an open second opinion."""

    def _followed(**place):
        (image,) = photographs(**place)
        record_symptoms(visit=image.visit, lesion=image.lesion, by=staff, bleeding="yes")
        sent(image.lesion, dermatologist, visit=image.visit, number=f"H-{image.pk.hex[:8]}")
        state_plan(lesion=image.lesion, by=dermatologist, step="see_again", due_on=in_days(3), visit=image.visit)
        LesionPlacement.objects.create(
            lesion=image.lesion, number=1, view="back", x=300, y=400, body_site=image.lesion.body_site,
            side=image.lesion.side, member=staff,
        )  # fmt: skip
        colleague = factories.MemberFactory(clinic=staff.clinic, role=Role.DERMATOLOGIST)
        ask_for_opinion(
            lesion=image.lesion, by=dermatologist, of=colleague, images=[image], question="Excise it?", days=7
        )
        group = record_lesion_review(
            of=LesionAtVisit(image.lesion, image.visit), photographs=[image.pk], reviewer=dermatologist,
            was_blinded=True, answer="nv", certainty="certain", decision="follow", months=3,
        )  # fmt: skip
        assert group.lesion == image.lesion
        return image

    return _followed


class TestLesion:
    def test_all_that_is_known_of_it_goes_with_it_and_comes_back(self, correct, followed, staff, other):
        image = followed()
        before, visit = snapshot(), image.visit
        address = reverse("lesion-move", args=[image.lesion_id])
        preview, response = correct(staff, address, number=other.record_number)
        numbers = preview.context["plan"].numbers
        assert {name: numbers[name] for name in ("specimens", "plans", "symptoms", "opinions")} == {
            "specimens": 1, "plans": 1, "symptoms": 1, "opinions": 1,
        }  # fmt: skip
        assert response.status_code == 302
        image.refresh_from_db()
        assert image.visit != visit
        assert rows_agree()
        places = {
            row.visit for row in (LesionSymptoms.objects.get(), Specimen.objects.get(), ReviewGroup.objects.get())
        }
        assert places == {image.visit}
        assert LesionPlan.objects.standing().get().lesion == image.lesion
        request = OpinionRequest.objects.get()
        assert (request.state, request.revoked_by) == (OpinionState.REVOKED, staff)
        undo(correction=Correction.objects.get(), by=staff, reason=REASON)
        assert snapshot() == before
        assert OpinionRequest.objects.get().state is OpinionState.REVOKED

    def test_two_visits_of_a_day_become_one_and_no_statement_is_lost(self, photographs, staff, patient, other):
        lesion = factories.LesionFactory(patient=patient)
        for answer in ("yes", "no"):
            (image,) = photographs(lesion=lesion)
            record_symptoms(visit=image.visit, lesion=lesion, by=staff, itch=answer)
        visit, before = factories.VisitFactory(patient=other), snapshot()
        correction = move_lesion(lesion=lesion, patient=other, by=staff, reason=REASON)
        rows = LesionSymptoms.objects.filter(visit=visit).order_by("number")
        assert [(row.number, row.itch) for row in rows] == [(1, "yes"), (2, "no")]
        undo(correction=correction, by=staff, reason=REASON)
        assert snapshot() == before

    def test_what_was_stated_since_at_its_new_place_keeps_it_there(self, followed, staff, other):
        image = followed()
        factories.VisitFactory(patient=other)
        correction = move_lesion(lesion=image.lesion, patient=other, by=staff, reason=REASON)
        image.refresh_from_db()
        record_symptoms(visit=image.visit, lesion=image.lesion, by=staff, pain="yes")
        with pytest.raises(CannotUndo):
            undo(correction=correction, by=staff, reason=REASON)

    def test_a_malignant_result_moves_with_a_dermatologist_alone(self, photographs, staff, dermatologist, other):
        (image,) = photographs()
        entered(sent(image.lesion, dermatologist), staff, "mel")
        with pytest.raises(DangerNeedsDermatologist):
            move_lesion(lesion=image.lesion, patient=other, by=staff, reason=REASON)
        move_lesion(lesion=image.lesion, patient=other, by=dermatologist, reason=REASON)
        assert Specimen.objects.get().lesion.patient == other

    def test_the_database_refuses_a_specimen_between_two_patients(self, followed, other):
        image, visit = followed(), factories.VisitFactory(patient=other)
        refused = "specimen_stays_with_one_patient_of_its_clinic"
        places: list[dict[str, Any]] = [{"visit": visit}, {"lesion": factories.LesionFactory(patient=other)}]
        for values in places:
            with pytest.raises(IntegrityError, match=refused), transaction.atomic():
                Specimen.objects.filter(lesion=image.lesion).update(**values)
        with pytest.raises(IntegrityError, match="specimen_is_append_only"), transaction.atomic():
            Specimen.objects.update(kind="shave")
        with pytest.raises(IntegrityError, match="lesion_plan_is_append_only"), transaction.atomic():
            LesionPlan.objects.update(lesion=factories.LesionFactory(patient=other))

    def test_who_still_has_the_old_page_writes_nothing_between_two_patients(self, photographs, dermatologist, other):
        (image,) = photographs()
        lesion, visit = image.lesion, image.visit
        move_lesion(lesion=lesion, patient=other, by=dermatologist, reason=REASON)
        with pytest.raises(LesionOfAnotherPatient):
            record_symptoms(visit=visit, lesion=lesion, by=dermatologist, itch="yes")
        with pytest.raises(OfAnotherPatient):
            sent(lesion, dermatologist, visit=visit)
        with pytest.raises(VisitOfAnotherPatient):
            state_plan(lesion=lesion, by=dermatologist, step="see_again", due_on=in_days(3), visit=visit)
        assert not any(table.objects.exists() for table in (LesionSymptoms, Specimen, LesionPlan))


class TestVisit:
    def test_its_own_lesion_goes_with_all_that_is_known_of_it(self, correct, followed, staff, other):
        image = followed()
        before = snapshot()
        correct(staff, reverse("visit-move", args=[image.visit_id]), number=other.record_number)
        assert rows_agree()
        assert Specimen.objects.get().visit_id == LesionPlan.objects.standing().get().visit_id == image.visit_id
        assert LesionSymptoms.objects.get().lesion.patient == other
        undo(correction=Correction.objects.get(), by=staff, reason=REASON)
        assert snapshot() == before

    def test_a_shared_lesion_is_split_and_no_plan_is_lost(self, correct, followed, photographs, staff, patient, other):
        (earlier,) = photographs()
        image = followed(lesion=earlier.lesion)
        before = snapshot()
        preview, _ = correct(staff, reverse("visit-move", args=[image.visit_id]), number=other.record_number)
        image.refresh_from_db()
        assert (image.lesion.patient, earlier.lesion.patient) == (other, patient)
        assert rows_agree()
        for row in (
            LesionSymptoms.objects.get(), Specimen.objects.get(), ReviewGroup.objects.get(),
            ManagementDecision.objects.get(),
        ):  # fmt: skip
            assert row.lesion == image.lesion, row
        stays, copy = earlier.lesion.plans.standing().get(), image.lesion.plans.standing().get()
        assert (stays.step, stays.due_on, stays.stated_by, stays.visit) == (
            copy.step,
            copy.due_on,
            copy.stated_by,
            None,
        )
        assert copy.visit == image.visit
        assert image.lesion.placements.get().x == 300
        assert any("planned for both" in notice for notice in preview.context["plan"].notices)
        undo(correction=Correction.objects.get(), by=staff, reason=REASON)
        assert snapshot() == before

    def test_a_copied_plan_that_was_ended_is_not_taken_away(self, followed, photographs, dermatologist, staff, other):
        (earlier,) = photographs()
        image = followed(lesion=earlier.lesion)
        correction = move_visit(visit=image.visit, patient=other, by=staff, reason=REASON)
        image.refresh_from_db()
        cancel_plan(plan=image.lesion.plans.standing().get(), by=dermatologist, reason="It has fallen off by itself.")
        with pytest.raises(CannotUndo):
            undo(correction=correction, by=staff, reason=REASON)

    def test_a_lesion_without_a_photograph_does_not_stay_half(self, photographs, staff, patient, other):
        (earlier,) = photographs()
        visit = factories.VisitFactory(patient=patient)
        record_symptoms(visit=visit, lesion=earlier.lesion, by=staff, bleeding="yes")
        move_visit(visit=visit, patient=other, by=staff, reason=REASON)
        assert rows_agree()
        row = LesionSymptoms.objects.get()
        assert (row.lesion.patient, earlier.lesion.patient) == (other, patient)

    def test_a_result_does_not_part_from_the_photographs_that_it_names(self, photographs, dermatologist, other):
        (earlier,) = photographs()
        (image,) = photographs(lesion=earlier.lesion)
        result = confirmed(sent(image.lesion, dermatologist, age=0, visit=image.visit), dermatologist, "nv")
        with pytest.raises(CannotCorrect):
            move_visit(visit=image.visit, patient=other, by=dermatologist, reason=REASON)
        withdraw_result(result=result, by=dermatologist, reason="It was of another patient's lesion.")
        move_visit(visit=image.visit, patient=other, by=dermatologist, reason=REASON)
        assert Specimen.objects.get().lesion.patient == other
        assert rows_agree()


class TestPhotograph:
    def test_a_label_of_the_laboratory_does_not_go_to_another_lesion(self, photographs, patient, dermatologist):
        (image,) = photographs()
        lesion = factories.LesionFactory(patient=patient)
        confirmed(sent(image.lesion, dermatologist, age=0), dermatologist, "nv")
        with pytest.raises(CannotCorrect):
            move_photograph(image=image, patient=patient, lesion=lesion, by=dermatologist, reason=REASON)
        assert not Correction.objects.exists()

    def test_an_open_opinion_about_it_is_revoked_and_an_answered_one_stays(self, followed, patient, staff):
        image = followed()
        lesion = factories.LesionFactory(patient=patient)
        correction = move_photograph(image=image, patient=patient, lesion=lesion, by=staff, reason=REASON)
        assert correction.numbers["opinions"] == 1
        assert OpinionRequest.objects.get().state is OpinionState.REVOKED

    def test_a_review_of_the_lesion_that_was_of_it_alone_goes_with_it(self, followed, patient, dermatologist):
        image = followed()
        group = ReviewGroup.objects.get()
        stood = LesionPlan.objects.standing().get()
        before = snapshot()
        correction = move_photograph(image=image, patient=patient, by=dermatologist, reason=REASON)
        image.refresh_from_db()
        group.refresh_from_db()
        assert group.lesion == image.lesion == ManagementDecision.objects.get().lesion
        assert {plan.lesion for plan in LesionPlan.objects.standing()} == {stood.lesion, image.lesion}
        assert rows_agree()
        undo(correction=correction, by=dermatologist, reason=REASON)
        assert snapshot() == before

    def test_its_answer_leaves_the_review_of_a_lesion_that_had_more(self, photographs, patient, other, dermatologist):
        image, stays = photographs(2)
        group = record_lesion_review(
            of=LesionAtVisit(image.lesion, image.visit), photographs=[image.pk, stays.pk], reviewer=dermatologist,
            was_blinded=True, answer="nv", certainty="certain", decision="excise",
        )  # fmt: skip
        correction = move_photograph(image=image, patient=other, by=dermatologist, reason=REASON)
        image.refresh_from_db()
        (review,), (left,) = image.reviews.all(), stays.reviews.all()
        assert (review.group.lesion, review.group.visit) == (image.lesion, image.visit)
        assert left.group == group
        assert ManagementDecision.objects.get().lesion == stays.lesion
        assert rows_agree()
        undo(correction=correction, by=dermatologist, reason=REASON)
        assert image.reviews.get().group == group
        assert ReviewGroup.objects.get() == group

    def test_it_leaves_its_overview(self, photographs, staff, patient, other):
        overview, image = photographs(2)
        store_facts(image=overview, by=staff, stated=StatedFacts(kind="overview"))
        overview.refresh_from_db()
        store_facts(image=image, by=staff, stated=StatedFacts(kind="dermoscopic", overview=overview))
        assert facts_now(image).overview == overview
        move_photograph(image=image, patient=other, by=staff, reason=REASON)
        image.refresh_from_db()
        assert facts_now(image).overview is None


class TestVoid:
    def test_a_specimen_stays_awaited_and_a_plan_planned(self, correct, sign_in, followed, dermatologist, patient):
        image = followed()
        preview, _ = correct(dermatologist, reverse("visit-void", args=[image.visit_id]))
        plan = preview.context["plan"]
        assert {plan.numbers[name] for name in ("specimens", "plans", "symptoms")} == {1}
        assert OpinionRequest.objects.get().state is OpinionState.REVOKED, "it shares nothing that can be seen"
        assert any("stays awaited" in notice for notice in plan.notices)
        assert any("stays planned" in notice for notice in plan.notices)
        client = sign_in(dermatologist)
        awaited = client.get(reverse("outcomes-awaited")).context["rows"]
        assert [specimen for specimen, _result in awaited] == [Specimen.objects.get()]
        assert LesionPlan.objects.standing().get().lesion == image.lesion
        assert client.get(image.lesion.get_absolute_url()).status_code == 200
        assert symptoms_of_lesion(image.lesion) == [], "symptoms of a void visit do not count"

    def test_nothing_lists_a_void_visit_or_a_merged_patient(
        self, correct, sign_in, staff, patient, other, photographs
    ):
        (image,) = photographs()
        void_visit(visit=image.visit, by=staff, reason=REASON)
        correct(staff, reverse("patient-merge", args=[patient.pk]), number=other.record_number)
        client = sign_in(staff)
        sections = client.get(reverse("today")).context["sections"]
        assert [row for section in sections for row in section.rows] == []
        for name in ("visits", "patients"):
            rows = list(client.get(reverse(name), {"q": patient.family_name}).context["page"])
            assert patient not in rows
            assert image.visit not in rows


class TestMerge:
    def test_the_answer_that_cannot_reassure_stands(self, correct, staff, patient, other):
        for of, kind, answer, detail in (
            (patient, "melanoma", "yes", "2019, back"),
            (other, "melanoma", "no", ""),
            (patient, "moles", "under_50", ""),
            (other, "moles", "over_100", ""),
            (patient, "allergies", "yes", "Latex"),
            (other, "allergies", "yes", "Penicillin"),
            (patient, "family_melanoma", "no", ""),
            (other, "immunosuppression", "unknown", ""),
            (patient, "immunosuppression", "no", ""),
        ):
            factories.RiskFactFactory(patient=of, kind=kind, answer=answer, detail=detail, number=1, recorded_by=staff)
        for of, skin in ((patient, "I"), (other, "IV")):
            of.skin_type = skin
            of.save(update_fields=["skin_type"])
        preview, _ = correct(staff, reverse("patient-merge", args=[patient.pk]), number=other.record_number)
        facts = risk_facts_of([other.pk])[other.pk]
        assert {kind: (fact.answer, fact.detail) for kind, fact in facts.items()} == {
            "melanoma": ("yes", "2019, back"),
            "moles": ("over_100", ""),
            "allergies": ("yes", "Penicillin; Latex"),
            "family_melanoma": ("no", ""),
            "immunosuppression": ("unknown", ""),
        }
        assert preview.context["plan"].numbers["risks"] == 5
        assert sum("stands" in notice for notice in preview.context["plan"].notices) == 5
        other.refresh_from_db()
        assert other.skin_type == "I"
        assert not patient.risk_facts.exists()
        undo(correction=Correction.objects.get(), by=staff, reason=REASON)
        assert patient.risk_facts.count() == 5
        assert {(fact.kind, fact.answer) for fact in other.risk_facts.all()} == {
            ("melanoma", "no"), ("moles", "over_100"), ("allergies", "yes"), ("immunosuppression", "unknown"),
        }  # fmt: skip

    def test_a_lesion_keeps_its_plan_specimen_and_opinion(self, correct, followed, staff, patient, other):
        image = followed()
        before = snapshot()
        preview, _ = correct(staff, reverse("patient-merge", args=[patient.pk]), number=other.record_number)
        numbers = preview.context["plan"].numbers
        assert [numbers[name] for name in ("specimens", "plans", "symptoms", "opinions")] == [1, 1, 1, 1]
        assert snapshot() == before, "they follow their lesion and visit"
        assert rows_agree()
        image.lesion.refresh_from_db()
        assert image.lesion.patient == other
        assert OpinionRequest.objects.get().is_waiting

    def test_the_survivor_is_reminded_once(self, correct, staff, manager, patient, other, mailoutbox):
        choose_reminders(by=manager, is_on=True, days_before=7, days_after=None, seen=0)
        for of in (patient, other):
            of.email = "amara@home.example"
            of.save(update_fields=["email"])
            factories.LesionPlanFactory(lesion=factories.LesionFactory(patient=of), due_on=in_days(3))
        assert queue_reminders() == 2
        correct(staff, reverse("patient-merge", args=[patient.pk]), number=other.record_number)
        assert queue_reminders() == 0
        assert {row.patient for row in OutgoingMessage.objects.all()} == {other}
        for message in OutgoingMessage.objects.order_by("created_at", "pk"):
            deliver(message.pk)
        assert [letter.to for letter in mailoutbox] == [["amara@home.example"]]

    def test_a_refusal_of_reminders_holds_for_the_survivor(self, correct, staff, patient, other):
        stop_reminders(patient=patient, by=staff, reason="refused")
        correct(staff, reverse("patient-merge", args=[patient.pk]), number=other.record_number)
        assert ReminderStop.objects.standing().filter(patient=other, reason="refused").exists()
        undo(correction=Correction.objects.get(), by=staff, reason=REASON)
        assert not ReminderStop.objects.filter(patient=other).exists()

    def test_nothing_is_recorded_of_a_merged_record(self, correct, sign_in, staff, patient, other):
        client = sign_in(staff)
        address = reverse("patient-risk", args=[patient.pk])
        data = filled_in(client, address, "made_from", melanoma="yes")
        correct(staff, reverse("patient-merge", args=[patient.pk]), number=other.record_number)
        assert client.post(address, data).status_code in (302, 409, 422)
        assert not patient.risk_facts.exists()
