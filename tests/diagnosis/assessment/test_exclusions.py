"""A photograph in the wrong record: out of use at once and everywhere, still there to be seen, and back again."""

import datetime
import json
import subprocess

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.assessment.errors import AlreadyExcluded, NotExcluded
from diagnosis.assessment.exclusions import exclude_image, undo_exclusion
from diagnosis.images.errors import IsExcluded
from diagnosis.images.models import Exclusion, ExclusionReason, Image
from diagnosis.reports.drafts import VisitChanged, draft_report
from diagnosis.reports.errors import ExcludedSince, NothingToSign, ShowsOtherPatient
from diagnosis.reports.models import Withholding
from diagnosis.reports.services import release_report, sign_visit
from diagnosis.retraining.training_images import images_for_training
from diagnosis.reviews.answers import Certainty
from diagnosis.reviews.models import QueueEntry, QueueState
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.reviews.services import record_review
from diagnosis.similar import archives, services
from diagnosis.similar.services import similar_cases
from patients.models import VisitStatus
from tests import factories
from tests.diagnosis.photographing import kept, sample
from tests.diagnosis.reporting import MELANOMA, NEVUS, photographed_visit, signed_addendum, signed_report
from tests.diagnosis.retraining.cases import confirmed
from tests.hooks import coded, codes, error_codes, wording

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(patient) -> Image:
    """A row with an answer, in the queue."""
    made: Image = factories.ImageFactory(lesion__patient=patient)
    factories.PredictionFactory(image=made)
    refresh_queue_entry(image=made)
    return made


@pytest.fixture
def visit(patient):
    return photographed_visit(patient, MELANOMA, NEVUS)


def send(client, image, **form):
    return client.post(reverse("image-exclude", args=[image.pk]), {"reason": ExclusionReason.OTHER_PATIENT, **form})


def page(client, of) -> str:
    return client.get(of.get_absolute_url()).content.decode()


def statuses(client, addresses) -> set[int]:
    """What they answer; files that are sent in pieces are read to their end."""
    found = set()
    for address in addresses:
        answer = client.get(address)
        assert b"".join(answer)
        found.add(answer.status_code)
    return found


def say(image, reviewer):
    return record_review(image=image, reviewer=reviewer, answer="nv", certainty=Certainty.CERTAIN)


def test_it_leaves_visit_lesion_patient_and_queue_and_comes_back(sign_in, staff, image):
    client = sign_in(staff)
    card = f'href="{image.get_absolute_url()}"'
    assert page(client, image.visit).count(card) == page(client, image.lesion).count(card) == 1
    assert QueueEntry.objects.get(image=image).state == QueueState.WAITING

    answer = send(client, image, note="Mrs Moreau was in the room")

    assert answer.status_code == 302
    row = image.exclusions.get()
    assert (row.reason, row.note, row.member) == ("other_patient", "Mrs Moreau was in the room", staff)
    assert QueueEntry.objects.get(image=image).state == QueueState.DONE
    for found in (image.visit, image.lesion):
        text = page(client, found)
        assert "exclusions" in codes(text)
        assert "Mrs Moreau was in the room" in text
        assert "no_photographs_in_use" in codes(text)
    assert "no_photographs" in codes(page(client, image.lesion.patient))
    own = page(client, image)
    assert "add_where_it_belongs" in codes(own)
    assert image.exclusions.get().get_reason_display() in coded(own, "excluded")
    assert "Wrong record?" not in own
    assert send(client, image).status_code == 302
    assert image.exclusions.count() == 1, "twice is once"

    assert client.post(reverse("image-undo-exclusion", args=[image.pk])).status_code == 302

    row.refresh_from_db()
    assert (row.ended_by, image.exclusions.count()) == (staff, 1)
    assert row.ended_at is not None
    assert page(client, image.visit).count(card) == 1
    assert not {"exclusions", "excluded"} & {*codes(page(client, image.visit))}
    assert QueueEntry.objects.get(image=image).state == QueueState.WAITING
    with pytest.raises(NotExcluded):
        undo_exclusion(image=image, by=staff)
    exclude_image(image=image, by=staff, reason=ExclusionReason.UNFIT)
    assert image.exclusions.count() == 2, "both times stay to be read"
    with pytest.raises(AlreadyExcluded):
        exclude_image(image=image, by=staff, reason=ExclusionReason.UNFIT)


@pytest.mark.slow
def test_a_photograph_of_another_lesion_is_added_there_and_judged_anew(sign_in, staff, dermatologist, patient):
    visit = photographed_visit(patient, MELANOMA)
    wrong = visit.images.get()
    say(wrong, dermatologist)
    right = factories.LesionFactory(patient=patient)
    client = sign_in(staff)
    refused = send(client, wrong, lesion=right.pk)
    assert refused.status_code == 422
    assert "not_of_another_lesion" in codes(refused.content.decode())
    foreign = send(client, wrong, reason="other_lesion", lesion=factories.LesionFactory().pk)
    assert foreign.status_code == 422
    assert not wrong.exclusions.exists()

    answer = send(client, wrong, reason="other_lesion", lesion=right.pk)

    added = right.images.get()
    assert answer.url == added.get_absolute_url()
    assert (added.visit, added.sha256) == (visit, wrong.sha256)
    assert added.predictions.count() == 1
    assert not added.reviews.exists(), "what was said was said of another lesion"
    assert wrong.exclusions.standing().get().reason == ExclusionReason.OTHER_LESION
    assert "same_file" not in codes(page(client, added)), "that mistake is mended"
    undo_exclusion(image=wrong, by=staff)
    assert "same_file" in codes(page(client, added))
    again = send(client, wrong, reason="other_lesion", lesion=right.pk)
    assert "already_uploaded" in codes(again.content.decode())
    assert not wrong.exclusions.standing().exists()


def test_where_there_is_no_other_lesion_or_the_visit_is_signed_nothing_is_offered(sign_in, staff, image):
    address = reverse("image-exclude", args=[image.pk])
    client = sign_in(staff)
    assert 'name="lesion"' not in client.get(address).content.decode()
    factories.LesionFactory(patient=image.lesion.patient)
    assert 'name="lesion"' in client.get(address).content.decode()
    image.visit.status = VisitStatus.SIGNED
    image.visit.save(update_fields=["status"])
    assert 'name="lesion"' not in client.get(address).content.decode()
    assert "signed_report_stays" in codes(client.get(address).content.decode())


def test_what_is_wrong_must_be_said(sign_in, staff, image):
    client = sign_in(staff)
    for reason in ("", "bored"):
        assert send(client, image, reason=reason).status_code == 422
    assert error_codes(send(client, image, reason="")) == {"reason": ["required"]}
    assert send(client, image, note="x" * 301).status_code == 422
    assert not Exclusion.objects.exists()


def test_nobody_reviews_it(sign_in, dermatologist, image):
    exclude_image(image=image, by=dermatologist, reason=ExclusionReason.UNFIT)
    with pytest.raises(IsExcluded):
        say(image, dermatologist)
    client = sign_in(dermatologist)
    form = {"answer": "nv", "certainty": "certain", "basis": "dermatoscopy"}
    for address in ("image-review", "admin:review-photograph"):
        answer = client.post(reverse(address, args=[image.pk]), form, follow=True)
        assert answer.status_code == 200
        assert "is_excluded" in codes(answer.content.decode())
    row = {f"reviews-0-{name}": value for name, value in form.items()}
    management = {"reviews-TOTAL_FORMS": 1, "reviews-INITIAL_FORMS": 0, "predictions-TOTAL_FORMS": 0}
    address = reverse("admin:diagnosis_image_change", args=[image.pk])
    assert client.post(address, {**row, **management, "predictions-INITIAL_FORMS": 0}).status_code in {200, 302}
    assert not image.reviews.exists()
    assert image.exclusions.get().get_reason_display() in client.get(address).content.decode()


@pytest.mark.slow
def test_a_report_is_signed_without_it_and_never_beside_what_was_checked(sign_in, visit, dermatologist):
    melanoma, nevus = visit.images.order_by("created_at")
    seen = draft_report(visit=visit).fingerprint
    exclude_image(image=melanoma, by=dermatologist, reason=ExclusionReason.OTHER_LESION)
    with pytest.raises(VisitChanged):
        sign_visit(visit=visit, by=dermatologist, seen=seen)
    checked = sign_in(dermatologist).get(reverse("visit-sign", args=[visit.pk])).content.decode()
    assert "exclusions" in codes(checked), "whoever signs may see what is left out"
    [lesion] = draft_report(visit=visit).content["lesions"]
    assert [photograph["id"] for photograph in lesion["photographs"]] == [str(nevus.pk)]
    exclude_image(image=nevus, by=dermatologist, reason=ExclusionReason.UNFIT)
    with pytest.raises(NothingToSign):
        sign_visit(visit=visit, by=dermatologist)


@pytest.mark.slow
def test_a_signed_report_is_released_after_an_addendum_tells_of_it(sign_in, visit, dermatologist, patient_user):
    report = signed_report(visit, dermatologist)
    image = visit.images.earliest("created_at")
    exclude_image(image=image, by=dermatologist, reason=ExclusionReason.OTHER_LESION)
    client = sign_in(dermatologist)
    assert "excluded_since" in codes(page(client, visit))
    assert reverse("visit-release", args=[visit.pk]) not in page(client, visit)
    with pytest.raises(ExcludedSince):
        release_report(report=report, by=dermatologist)
    address = reverse("visit-addendum", args=[visit.pk])
    form = client.get(address)
    assert "photograph 1 of 2: <strong>It shows another lesion" in " ".join(form.content.decode().split())

    seen = form.context["form"]["seen"].value()
    sent = client.post(address, {"words": "The first photograph shows another mole.", "seen": seen})

    assert sent.status_code == 302
    [told] = json.loads(report.addenda.get().content)["set_aside"]
    assert (told["photograph"], told["which"]) == (str(image.pk), "photograph 1 of 2")
    pdf = b"".join(client.get(reverse("addendum-pdf", args=[report.addenda.get().pk])))
    paper = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True).stdout
    assert b"Photographs that no longer count" in paper
    assert "excluded_since" not in codes(page(client, visit))
    assert release_report(report=report, by=dermatologist).released_at is not None
    read = sign_in(patient_user).get(reverse("my-visit", args=[visit.pk])).content.decode()
    assert read.count(wording("This photograph no longer counts")) == 1
    undo_exclusion(image=image, by=dermatologist)
    note = "It is blurred beyond use."
    exclude_image(image=image, by=dermatologist, reason=ExclusionReason.UNFIT, note=note)
    assert "excluded_since" in codes(page(client, visit)), "that is another reason, which nobody was told"


@pytest.mark.slow
def test_a_report_that_shows_somebody_else_is_not_released_at_all(sign_in, visit, dermatologist):
    report = signed_report(visit, dermatologist)
    exclude_image(image=visit.images.earliest("created_at"), by=dermatologist, reason=ExclusionReason.OTHER_PATIENT)
    signed_addendum(report, dermatologist)
    with pytest.raises(ShowsOtherPatient):
        release_report(report=report, by=dermatologist)
    client = sign_in(dermatologist)
    answer = client.post(reverse("visit-release", args=[visit.pk]), follow=True)
    assert "shows_other_patient" in codes(answer.content.decode())
    assert "report_cannot_be_released" in codes(page(client, visit))
    report.refresh_from_db()
    assert report.released_at is None


@pytest.mark.slow
def test_a_released_report_that_shows_somebody_else_is_withheld(sign_in, visit, dermatologist, patient_user):
    report = signed_report(visit, dermatologist, released=True)
    addendum = signed_addendum(report, dermatologist)
    image = visit.images.earliest("created_at")
    client = sign_in(patient_user)
    opened = [
        reverse("my-visit", args=[visit.pk]),
        reverse("report-pdf", args=[report.pk]),
        reverse("report-json", args=[report.pk]),
        reverse("addendum-pdf", args=[addendum.pk]),
        reverse("image-file", args=[image.pk, "display"]),
    ]
    assert statuses(client, opened) == {200}

    exclude_image(image=image, by=dermatologist, reason=ExclusionReason.OTHER_PATIENT)

    assert statuses(client, opened[:-1]) == {403}
    assert client.get(opened[-1]).status_code == 404
    for address in opened[:-1]:
        told = client.get(address).content.decode()
        assert wording("is of another person") in told
        assert image.pk.hex not in told.replace("-", "")
    listed = client.get(reverse("my-visits")).content.decode()
    assert "is withheld" in listed
    assert reverse("my-visit", args=[visit.pk]) not in listed
    staff_pages = sign_in(dermatologist)
    assert "report_withheld_other_patient" in codes(page(staff_pages, visit))
    assert statuses(staff_pages, opened[1:2]) == {409}
    assert statuses(staff_pages, [f"{opened[1]}?as=signed"]) == {200}, "the clinic must know what was sent"
    told = staff_pages.post(reverse("image-undo-exclusion", args=[image.pk]), follow=True).content.decode()
    assert "withheld_until_released_again" in codes(told)
    assert statuses(client, opened[:-1]) == {403}, "withheld until released again"
    row = Withholding.objects.get()
    assert (row.report, row.reason, row.member, row.ended_at) == (report, "details", dermatologist, None)
    assert wording("as another patient’s was undone") in page(staff_pages, visit)
    staff_pages.post(reverse("visit-release-again", args=[visit.pk]))
    assert statuses(client, opened) == {200}
    assert "was withdrawn" not in client.get(reverse("my-visits")).content.decode()


def test_no_network_learns_from_it(dermatologist):
    image = confirmed(reader=dermatologist)
    assert image in images_for_training(dermatologist.clinic)
    exclude_image(image=image, by=dermatologist, reason=ExclusionReason.OTHER_LESION)
    assert image not in images_for_training(dermatologist.clinic)
    undo_exclusion(image=image, by=dermatologist)
    assert image in images_for_training(dermatologist.clinic)


@pytest.mark.slow
def test_it_is_no_similar_case_and_is_one_again(patient, staff, dermatologist, monkeypatch):
    archives._archives.clear()
    monkeypatch.setattr(services, "LEAST_SHOWN", -1.0)
    asked, case = (
        kept(factories.VisitFactory(patient=patient), factories.LesionFactory(patient=patient, body_site=site), staff,
             sample(number))
        for number, site in ((6, "back"), (3, "scalp"))
    )  # fmt: skip
    say(case, dermatologist)
    assert [found.image for found in similar_cases(image=asked, member=staff)] == [case]
    exclude_image(image=case, by=staff, reason=ExclusionReason.TAKEN_TWICE)
    assert similar_cases(image=asked, member=staff) == []
    undo_exclusion(image=case, by=staff)
    assert [found.image for found in similar_cases(image=asked, member=staff)] == [case]


@pytest.mark.slow
def test_whoever_sends_it_again_is_told_to_put_it_back(sign_in, staff, visit, dermatologist):
    image = visit.images.get(original_name=f"{MELANOMA}.jpg")
    exclude_image(image=image, by=dermatologist, reason=ExclusionReason.UNFIT, note="It is blurred beyond use.")
    with image.original.open("rb") as file:
        form = {"lesion": image.lesion_id, "files": [file]}
        answer = sign_in(staff).post(reverse("upload", args=[visit.pk]), form)
    assert answer.status_code == 409
    assert "but excluded" in answer.content.decode()
    assert image.get_absolute_url() in answer.content.decode()


def test_another_clinic_has_no_hand_in_it(sign_in, stranger, image):
    client = sign_in(stranger)
    for name in ("image-exclude", "image-undo-exclusion"):
        assert client.post(reverse(name, args=[image.pk]), {"reason": "unfit"}).status_code == 404
    for act in (undo_exclusion, lambda **who: exclude_image(reason="unfit", **who)):
        with pytest.raises(PermissionDenied):
            act(image=image, by=stranger)
    assert not Exclusion.objects.exists()


def test_the_database_refuses_what_cannot_be(staff, image):
    row = {"image": image, "member": staff}
    Exclusion.objects.create(**row, reason="unfit")
    later, earlier = (timezone.now() + datetime.timedelta(hours=hours) for hours in (1, -1))
    for impossible, rule in (
        ({"reason": "unfit"}, "photograph_is_excluded_once_at_a_time"),
        ({"reason": "bored", "ended_at": later, "ended_by": staff}, "exclusion_reason_is_known"),
        ({"reason": "unfit", "ended_at": later}, "exclusion_ends_after_it_began_by_someone"),
        ({"reason": "unfit", "ended_at": earlier, "ended_by": staff}, "exclusion_ends_after_it_began_by_someone"),
    ):
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            Exclusion.objects.create(**row, **impossible)
        assert rule in str(refused.value) or "UNIQUE constraint failed" in str(refused.value)
    assert Exclusion.objects.count() == 1


def test_what_was_said_of_it_is_not_changed_afterwards(staff, dermatologist, image):
    row = exclude_image(image=image, by=staff, reason=ExclusionReason.UNFIT, note="Out of focus")
    rows = Exclusion.objects.filter(pk=row.pk)
    for change in ({"reason": "taken_twice"}, {"note": ""}, {"member": dermatologist}, {"created_at": timezone.now()}):
        with pytest.raises(IntegrityError, match="exclusion_is_append_only"), transaction.atomic():
            rows.update(**change)
    undo_exclusion(image=image, by=staff)
    for change in ({"ended_by": dermatologist}, {"ended_at": timezone.now()}, {"ended_at": None, "ended_by": None}):
        with pytest.raises(IntegrityError, match="exclusion_is_append_only"), transaction.atomic():
            rows.update(**change)
    assert rows.get().ended_by == staff
