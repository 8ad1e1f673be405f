"""Mistakes are mended: seen before, recorded before and after, and undone."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse

from diagnosis.assessment.errors import ExcludedWithVisit
from diagnosis.assessment.exclusions import undo_exclusion
from diagnosis.corrections.acts.merge import merge_patients
from diagnosis.corrections.acts.photograph import move_photograph
from diagnosis.corrections.acts.visit import move_visit
from diagnosis.corrections.acts.void import void_visit
from diagnosis.corrections.carrying_out import undo
from diagnosis.corrections.errors import (
    AlreadyUndone,
    CannotCorrect,
    CannotUndo,
    DangerNeedsDermatologist,
    ReasonNeeded,
    SignedNeedsSenior,
)
from diagnosis.corrections.models import CorrectedRecord, Correction
from diagnosis.corrections.touched import reports_with_old_details
from diagnosis.images.models import Image
from diagnosis.opinions.services import ask_for_opinion
from diagnosis.reports.errors import NotSigned, ShowsOtherPatient, VisitIsVoid
from diagnosis.reports.models import Report
from diagnosis.reports.services import release_report
from diagnosis.reports.validity import unreported_changes_of
from diagnosis.reports.withholding import release_again
from diagnosis.reviews.models import QueueEntry, QueueState
from diagnosis.reviews.services import record_review
from patients.models import Consent, Patient, RecordChange, Visit, VisitStatus
from patients.services import record_consent, update_patient
from patients.services.merged_records import RecordIsMerged
from patients.services.visits import VisitIsClosed, lock_open_visit, log_visit
from tests import factories
from tests.diagnosis.corrections.conftest import REASON
from tests.diagnosis.reporting import signed_addendum, signed_report

pytestmark = pytest.mark.django_db


def everyone_agrees() -> bool:
    """Whether each photograph's lesion and visit are of one patient."""
    return all(
        image.lesion.patient_id == image.visit.patient_id for image in Image.objects.select_related("lesion", "visit")
    )


class TestPhotograph:
    def test_it_moves_to_another_lesion_and_back(self, correct, staff, photographs, patient):
        (image,) = photographs()
        was, lesion = image.lesion, factories.LesionFactory(patient=patient)
        preview, response = correct(staff, reverse("image-move", args=[image.pk]), lesion=str(lesion.pk))
        assert preview.context["plan"].numbers == {"photographs": 1, "reviews": 0, "labels": 0, "reports": 0}
        image.refresh_from_db()
        assert image.lesion == lesion
        correction = Correction.objects.get()
        assert (correction.by, correction.reason, response.status_code) == (staff, REASON, 302)
        assert {(row.kind, row.record) for row in correction.records.all()} >= {
            ("image", image.pk), ("lesion", was.pk), ("lesion", lesion.pk), ("patient", patient.pk),
        }  # fmt: skip
        undo(correction=correction, by=staff, reason=REASON)
        image.refresh_from_db()
        assert image.lesion == was
        with pytest.raises(AlreadyUndone):
            undo(correction=correction, by=staff, reason=REASON)

    def test_it_moves_to_a_new_visit_of_another_patient(self, correct, staff, photographs, other):
        (image,) = photographs()
        visit = image.visit
        address = reverse("image-move", args=[image.pk])
        correct(staff, address, number=other.record_number, lesion="new", visit="new")
        image.refresh_from_db()
        assert (image.visit.patient, image.lesion.patient, image.visit.date) == (other, other, visit.date)
        assert everyone_agrees()
        assert QueueEntry.objects.get(image=image).state == QueueState.WAITING
        undo(correction=Correction.objects.get(), by=staff, reason=REASON)
        image.refresh_from_db()
        assert image.visit == visit
        assert (other.visits.count(), other.lesions.count()) == (0, 0), "what was added for it is gone"

    def test_it_moves_to_another_open_visit_of_the_patient_and_back(self, correct, staff, photographs, patient):
        (image,) = photographs()
        was, lesion, visit = image.visit, image.lesion, factories.VisitFactory(patient=patient)
        address = reverse("image-move", args=[image.pk])
        _preview, response = correct(staff, address, lesion=str(lesion.pk), visit=str(visit.pk))
        assert response.status_code == 302
        image.refresh_from_db()
        assert (image.visit, image.lesion) == (visit, lesion)
        correction = Correction.objects.get()
        assert {row.record for row in correction.records.filter(kind="visit")} == {was.pk, visit.pk}
        undo(correction=correction, by=staff, reason=REASON)
        image.refresh_from_db()
        assert image.visit == was

    def test_a_signed_visit_neither_takes_nor_gives_one_to_another_visit(
        self, sign_in, photographs, patient, dermatologist
    ):
        (image,), (signed,) = photographs(), photographs()
        signed_report(signed.visit, dermatologist)
        for each, visit in ((image, signed.visit), (signed, image.visit)):
            with pytest.raises(CannotCorrect):
                move_photograph(
                    image=each, patient=patient, lesion=each.lesion, visit=visit, by=dermatologist, reason=REASON
                )
        page = sign_in(dermatologist).get(reverse("image-move", args=[signed.pk]))
        assert "visit" not in page.context["form"].fields
        assert not Correction.objects.exists()

    def test_an_opinion_stays_open_if_only_the_visit_was_wrong(self, photographs, patient, staff, dermatologist):
        (image,) = photographs()
        colleague = factories.MemberFactory(clinic=staff.clinic, role="dermatologist")
        request, _code = ask_for_opinion(
            lesion=image.lesion, by=dermatologist, of=colleague, images=[image], question="Excise it?", days=7
        )
        visit = factories.VisitFactory(patient=patient)
        move_photograph(image=image, patient=patient, lesion=image.lesion, visit=visit, by=staff, reason=REASON)
        request.refresh_from_db()
        assert request.is_waiting

    def test_a_report_that_shows_it_is_closed_to_the_wrong_patient_for_good(
        self, correct, sign_in, photographs, patient_user, dermatologist, other
    ):
        (image,) = photographs()
        report = signed_report(image.visit, dermatologist, released=True)
        page = reverse("my-visit", args=[image.visit_id])
        assert sign_in(patient_user).get(page).status_code == 200
        address = reverse("image-move", args=[image.pk])
        preview, _ = correct(dermatologist, address, number=other.record_number, lesion="new", visit="new")
        assert preview.context["plan"].numbers["reports"] == 1
        assert sign_in(patient_user).get(page).status_code == 403
        pdf = sign_in(patient_user).get(reverse("report-pdf", args=[report.pk]))
        picture = sign_in(patient_user).get(reverse("image-file", args=[image.pk, "display"]))
        assert (pdf.status_code, picture.status_code) == (403, 404)
        with pytest.raises(ShowsOtherPatient):
            release_again(report=report, by=dermatologist)

    def test_a_signed_report_says_that_its_photograph_is_filed_elsewhere(
        self, correct, photographs, patient, dermatologist
    ):
        (image,) = photographs()
        lesion = factories.LesionFactory(patient=patient)
        report = signed_report(image.visit, dermatologist)
        correct(dermatologist, reverse("image-move", args=[image.pk]), lesion=str(lesion.pk))
        (change,) = unreported_changes_of(Report.objects.get(pk=report.pk)).record
        assert (change.key, change.now) == (f"photograph.{image.pk}.lesion", str(lesion))

    def test_the_same_file_is_not_there_twice(self, photographs, patient, staff):
        (image,) = photographs()
        lesion = factories.LesionFactory(patient=patient)
        factories.ImageFactory(visit=image.visit, lesion=lesion, sha256=image.sha256)
        with pytest.raises(CannotCorrect):
            move_photograph(image=image, patient=patient, lesion=lesion, by=staff, reason=REASON)


class TestWhoMay:
    def test_staff_do_not_touch_what_is_signed(self, correct, photographs, staff, manager, dermatologist, other):
        (image,) = photographs()
        signed_report(image.visit, dermatologist)
        address = reverse("visit-void", args=[image.visit_id])
        _, response = correct(staff, address)
        assert response.status_code == 422
        with pytest.raises(SignedNeedsSenior):
            move_visit(visit=image.visit, patient=other, by=staff, reason=REASON)
        assert not Correction.objects.exists()
        correct(manager, address)
        assert Visit.objects.get(pk=image.visit_id).is_void

    def test_a_dangerous_finding_moves_with_a_dermatologist_alone(self, photographs, manager, dermatologist, other):
        (image,) = photographs()
        record_review(image=image, reviewer=dermatologist, answer="mel", certainty="certain")
        with pytest.raises(DangerNeedsDermatologist):
            move_visit(visit=image.visit, patient=other, by=manager, reason=REASON)
        move_visit(visit=image.visit, patient=other, by=dermatologist, reason=REASON)
        assert Visit.objects.get(pk=image.visit_id).patient == other

    def test_a_stranger_does_nothing(self, photographs, stranger, other, sign_in):
        (image,) = photographs()
        with pytest.raises(PermissionDenied):
            void_visit(visit=image.visit, by=stranger, reason=REASON)
        address = reverse("visit-move", args=[image.visit_id])
        assert sign_in(stranger).post(address, {"number": other.record_number}).status_code == 404

    def test_nothing_goes_to_another_clinic(self, sign_in, photographs, staff, other_clinic):
        (image,) = photographs()
        abroad = factories.PatientFactory(clinic=other_clinic)
        for name in ("visit-move", "lesion-move", "image-move"):
            key = {"visit-move": image.visit_id, "lesion-move": image.lesion_id, "image-move": image.pk}[name]
            data = {"preview": "1", "number": abroad.record_number, "reason": REASON, "lesion": "new", "visit": "new"}
            assert sign_in(staff).post(reverse(name, args=[key]), data).status_code == 422
        assert not Correction.objects.exists()

    @pytest.mark.parametrize("reason", ["", "wrong", "xxxxxxxxxxxxxxxxxxx"])
    def test_a_reason_is_a_sentence(self, photographs, staff, reason):
        (image,) = photographs()
        with pytest.raises(ReasonNeeded):
            void_visit(visit=image.visit, by=staff, reason=reason)

    @pytest.mark.parametrize("hostile", ["not-a-key", "\0", "00000000-0000-0000-0000-000000000000", "x" * 5000])
    def test_hostile_targets_are_refused_in_words(self, sign_in, photographs, staff, hostile):
        (image,) = photographs()
        data = {"preview": "1", "lesion": hostile, "visit": hostile, "number": hostile, "reason": REASON}
        for name, key in (("image-move", image.pk), ("visit-move", image.visit_id)):
            assert sign_in(staff).post(reverse(name, args=[key]), data).status_code == 422
            assert sign_in(staff).get(reverse(name, args=[key]), data).status_code in (200, 422)


def test_what_has_changed_since_the_preview_is_not_done(correct, photographs, staff, dermatologist, other):
    (image,) = photographs()
    address = reverse("visit-move", args=[image.visit_id])
    _, response = correct(
        dermatologist, address, number=other.record_number, meanwhile=lambda: signed_report(image.visit, dermatologist)
    )
    assert response.status_code == 409
    assert not Correction.objects.exists()
    assert response.context["plan"].numbers["reports"] == 1, "the new preview is shown"


class TestVoid:
    def test_it_is_in_no_list_count_or_queue_and_comes_back(self, correct, sign_in, photographs, staff, patient):
        (image,) = photographs()
        correct(staff, reverse("visit-void", args=[image.visit_id]))
        visit = Visit.objects.get(pk=image.visit_id)
        assert visit.is_void
        client = sign_in(staff)
        assert list(client.get(reverse("visits")).context["page"]) == []
        page = client.get(patient.get_absolute_url())
        assert list(page.context["visits"]) == []
        assert [card.count for card in page.context["lesions"]] == [0]
        assert client.get(visit.get_absolute_url()).status_code == 200
        assert QueueEntry.objects.get(image=image).state == QueueState.DONE
        assert not Image.objects.in_use().exists()
        with pytest.raises(VisitIsClosed), transaction.atomic():
            lock_open_visit(visit_id=visit.pk)
        with pytest.raises(ExcludedWithVisit):
            undo_exclusion(image=image, by=staff)
        client.post(reverse("correction", args=[Correction.objects.get().pk]), {"reason": REASON})
        visit.refresh_from_db()
        assert visit.is_open
        assert Image.objects.in_use().get() == image
        assert QueueEntry.objects.get(image=image).state == QueueState.WAITING
        assert [row.changes for row in RecordChange.objects.of(visit)] == [
            {"status": ["void", "open"]}, {"status": ["open", "void"]},
        ]  # fmt: skip

    def test_a_released_report_is_closed_until_it_is_restored(self, photographs, sign_in, patient_user, dermatologist):
        (image,) = photographs()
        report = signed_report(image.visit, dermatologist, released=True)
        correction = void_visit(visit=image.visit, by=dermatologist, reason=REASON)
        page = reverse("my-visit", args=[image.visit_id])
        assert sign_in(patient_user).get(page).status_code == 403
        with pytest.raises(VisitIsVoid):
            release_again(report=report, by=dermatologist)
        undo(correction=correction, by=dermatologist, reason=REASON)
        assert sign_in(patient_user).get(page).status_code == 403, "a dermatologist releases it again"
        release_again(report=report, by=dermatologist)
        assert sign_in(patient_user).get(page).status_code == 200


class TestVisit:
    def test_an_open_visit_moves_with_its_own_lesions_and_splits_shared_ones(
        self, correct, photographs, patient, other, staff
    ):
        (first,) = photographs()
        (earlier,) = photographs()
        (shared,) = photographs(lesion=earlier.lesion, visit=first.visit)
        preview, _ = correct(staff, reverse("visit-move", args=[first.visit_id]), number=other.record_number)
        assert preview.context["plan"].numbers == {
            "visits": 1, "lesions": 1, "photographs": 2, "reviews": 0, "labels": 0, "reports": 0,
        }  # fmt: skip
        for image in (first, earlier, shared):
            image.refresh_from_db()
        assert {first.visit.patient, first.lesion.patient, shared.lesion.patient} == {other}
        assert earlier.lesion.patient == patient != shared.lesion.patient
        assert everyone_agrees()
        undo(correction=Correction.objects.get(), by=staff, reason=REASON)
        shared.refresh_from_db()
        assert (shared.lesion, other.lesions.count(), patient.visits.count()) == (earlier.lesion, 0, 2)

    def test_a_signed_visit_is_filed_again_and_its_report_stays(
        self, correct, sign_in, photographs, patient, patient_user, other, dermatologist
    ):
        (image,) = photographs()
        visit, report = image.visit, signed_report(image.visit, dermatologist, released=True)
        signed = report.content
        correct(dermatologist, reverse("visit-move", args=[visit.pk]), number=other.record_number)
        visit.refresh_from_db()
        image.refresh_from_db()
        report.refresh_from_db()
        assert (visit.patient, visit.status, report.visit, report.content) == (patient, "void", visit, signed)
        assert (image.visit.patient, image.visit.status, image.visit.complaint) == (other, "open", visit.complaint)
        assert sign_in(patient_user).get(reverse("my-visit", args=[visit.pk])).status_code == 403
        signed_report(image.visit, dermatologist)
        with pytest.raises(CannotUndo):
            undo(correction=Correction.objects.get(), by=dermatologist, reason=REASON)

    def test_it_was_not_before_the_patient_was_born(self, photographs, clinic, staff):
        (image,) = photographs()
        child = factories.PatientFactory(clinic=clinic, birth_date=image.visit.date)
        Visit.objects.filter(pk=image.visit_id).update(date="2020-01-01")
        with pytest.raises(CannotCorrect):
            move_visit(visit=image.visit, patient=child, by=staff, reason=REASON)


def test_a_lesion_moves_with_its_photographs_while_its_visits_stay(correct, photographs, patient, other, staff):
    (first,) = photographs()
    (second,) = photographs(lesion=first.lesion)
    (beside,) = photographs(visit=first.visit)
    factories.LesionFactory(patient=other, number=4)
    correct(staff, reverse("lesion-move", args=[first.lesion_id]), number=other.record_number)
    for image in (first, second, beside):
        image.refresh_from_db()
    assert (first.lesion, first.lesion.patient, first.lesion.number) == (second.lesion, other, 5)
    # Both visits were of one day: the second photograph goes to the visit that was added for the first, or to its own.
    assert {first.visit.patient, second.visit.patient} == {other}
    assert beside.visit.patient == beside.lesion.patient == patient
    assert everyone_agrees()
    undo(correction=Correction.objects.get(), by=staff, reason=REASON)
    first.refresh_from_db()
    assert (first.visit, first.lesion.patient, other.visits.count()) == (beside.visit, patient, 0)


class TestMerge:
    def test_everything_moves_and_the_old_addresses_lead_to_the_survivor(
        self, correct, sign_in, photographs, patient, patient_user, other, staff, dermatologist
    ):
        (image,) = photographs()
        factories.LesionFactory(patient=other, number=image.lesion.number)
        record_consent(patient=other, by=staff, purpose="training", decision="given", method="verbal")
        record_consent(patient=patient, by=staff, purpose="training", decision="withdrawn", method="verbal")
        Patient.objects.filter(pk=patient.pk).update(history="Melanoma in 2019.")
        preview, _ = correct(staff, reverse("patient-merge", args=[patient.pk]), number=other.record_number)
        assert preview.context["is_named_alike"] is False
        image.refresh_from_db()
        patient.refresh_from_db()
        other.refresh_from_db()
        assert (image.visit.patient, image.lesion.patient) == (other, other)
        assert image.lesion.number == max(other.lesions.values_list("number", flat=True))
        assert (patient.merged_into, patient.user, other.user) == (other, None, patient_user)
        assert "Melanoma in 2019." in other.history
        assert not Patient.objects.consenting_to("training").filter(pk=other.pk).exists()
        client = sign_in(staff)
        for name in ("patient", "patient-edit", "visit-new"):
            assert client.get(reverse(name, args=[patient.pk])).url == reverse(name, args=[other.pk])
        assert client.post(reverse("visit-new", args=[patient.pk]), {}).url == other.get_absolute_url()
        found = client.get(reverse("patients"), {"q": patient.record_number}).context["page"]
        assert list(found) == [other]
        assert client.get(reverse("patient-history", args=[patient.pk])).status_code == 200
        with pytest.raises(RecordIsMerged):
            log_visit(patient=patient, by=staff, complaint="It itches")

    def test_it_is_undone_while_nothing_new_was_added(self, photographs, patient, patient_user, other, staff):
        (image,) = photographs()
        number = image.lesion.number
        correction = merge_patients(duplicate=patient, survivor=other, by=staff, reason=REASON)
        undo(correction=correction, by=staff, reason=REASON)
        for row in (image, patient, other):
            row.refresh_from_db()
        assert (image.visit.patient, image.lesion.number) == (patient, number)
        assert (patient.merged_into, patient.user, other.user) == (None, patient_user, None)
        again = merge_patients(duplicate=patient, survivor=other, by=staff, reason=REASON)
        factories.VisitFactory(patient=other)
        with pytest.raises(CannotUndo):
            undo(correction=again, by=staff, reason=REASON)

    def test_of_two_accounts_one_stays(self, patient, patient_user, other, staff):
        other.user = factories.UserFactory()
        other.save(update_fields=["user"])
        correction = merge_patients(duplicate=patient, survivor=other, by=staff, reason=REASON)
        patient_user.refresh_from_db()
        other.refresh_from_db()
        assert (patient_user.is_active, other.user.is_active) == (False, True)
        undo(correction=correction, by=staff, reason=REASON)
        patient_user.refresh_from_db()
        patient.refresh_from_db()
        assert (patient_user.is_active, patient.user) == (True, patient_user)

    def test_reports_of_another_name_are_withheld_until_they_are_checked(
        self, photographs, sign_in, patient, patient_user, other, dermatologist
    ):
        (image,) = photographs()
        report = signed_report(image.visit, dermatologist, released=True)
        merge_patients(duplicate=patient, survivor=other, by=dermatologist, reason=REASON)
        assert report.withholdings.standing().exists()
        assert sign_in(patient_user).get(reverse("my-visit", args=[image.visit_id])).status_code == 403

    def test_not_into_itself_nor_twice(self, patient, other, staff):
        with pytest.raises(CannotCorrect):
            merge_patients(duplicate=patient, survivor=patient, by=staff, reason=REASON)
        merge_patients(duplicate=patient, survivor=other, by=staff, reason=REASON)
        with pytest.raises(CannotCorrect):
            merge_patients(duplicate=other, survivor=patient, by=staff, reason=REASON)
        with pytest.raises(IntegrityError, match="patient_is_not_merged_into_itself"), transaction.atomic():
            Patient.objects.filter(pk=other.pk).update(merged_into=other.pk)
        with pytest.raises(IntegrityError, match="merged_patient_has_no_account"), transaction.atomic():
            Patient.objects.filter(pk=patient.pk).update(user=factories.UserFactory())


def test_reports_with_an_old_name_are_listed_until_an_addendum(sign_in, photographs, patient, dermatologist, staff):
    (image,) = photographs()
    report = signed_report(image.visit, dermatologist)
    assert reports_with_old_details(patient) == []
    update_patient(patient=patient, by=staff, family_name="Moreau", birth_date=patient.birth_date)
    assert reports_with_old_details(patient) == [report]
    assert sign_in(staff).get(patient.get_absolute_url()).status_code == 200
    signed_addendum(Report.objects.get(pk=report.pk), dermatologist)
    assert reports_with_old_details(patient) == []


def test_a_correction_is_neither_rewritten_nor_undone_without_a_reason(photographs, staff):
    (image,) = photographs()
    correction = void_visit(visit=image.visit, by=staff, reason=REASON)
    others: list[dict[str, Any]] = [{"reason": "Another"}, {"steps": []}, {"title": "Another"}]
    for values in others:
        with pytest.raises(IntegrityError, match="correction_is_append_only"), transaction.atomic():
            Correction.objects.filter(pk=correction.pk).update(**values)
    with pytest.raises(IntegrityError, match="corrected_record_is_append_only"), transaction.atomic():
        CorrectedRecord.objects.update(kind="lesion")
    with pytest.raises(IntegrityError, match="correction_is_undone_by_someone"), transaction.atomic():
        Correction.objects.filter(pk=correction.pk).update(undone_by=staff)


def test_the_patients_page_tells_what_was_corrected(sign_in, photographs, patient, staff):
    (image,) = photographs()
    correction = void_visit(visit=image.visit, by=staff, reason=REASON)
    for record in (patient, image.visit, image.lesion, image):
        page = sign_in(staff).get(record.get_absolute_url())
        assert correction.get_absolute_url() in page.text, record
    assert Consent.objects.count() == 0
    assert Visit.objects.get().status == VisitStatus.VOID


def test_a_void_visit_is_not_released(photographs, dermatologist):
    (image,) = photographs()
    report = signed_report(image.visit, dermatologist)
    void_visit(visit=image.visit, by=dermatologist, reason=REASON)
    with pytest.raises(NotSigned):
        release_report(report=report, by=dermatologist)
