"""A melanoma does not vanish with its photograph: who may set it aside, and what its lesion says afterwards."""

import html

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from diagnosis.assessment import exclusions as excluded
from diagnosis.assessment.errors import FindingNeedsDermatologist, FindingNeedsNote, FindingWouldBeLost
from diagnosis.assessment.exclusions import exclude_image, undo_exclusion
from diagnosis.images.models import Exclusion, Image
from diagnosis.reviews.services import record_review, retract_review
from tests import factories
from tests.diagnosis.reporting import MELANOMA, photographed_visit, signed_addendum, signed_report
from tests.diagnosis.reports.test_report_as_it_holds import answered, named
from tests.hooks import chips, coded, codes, wording

pytestmark = pytest.mark.django_db

NOTE = "It shows the mole on the back, by the map of the body."
GONE = "A photograph with a dangerous finding was excluded"


@pytest.fixture
def image(patient, dermatologist) -> Image:
    """Calm by the network, a melanoma by the laboratory, and signed so."""
    made = answered(patient, visit__plan="Excision next week.")
    record_review(image=made, reviewer=dermatologist, answer="mel", certainty="certain", basis="histopathology")
    return made


def suspected(image, reader) -> Image:
    record_review(image=image, reviewer=reader, answer="mel", certainty="unsure")
    return image


def send(client, image, reason, **form):
    return client.post(reverse("image-exclude", args=[image.pk]), {"reason": reason, **form})


def text(response) -> str:
    return html.unescape(" ".join(response.content.decode().split()))


def page(client, of) -> str:
    return text(client.get(of.get_absolute_url()))


# --- Before ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["staff", "manager", "dermatologist"])
@pytest.mark.parametrize("reason", ["unfit", "taken_twice"])
@pytest.mark.parametrize("is_confirmed", [True, False])
def test_what_is_dangerous_is_not_called_unfit(
    request, sign_in, patient, dermatologist, image, who, reason, is_confirmed
):
    if is_confirmed:
        signed_addendum(signed_report(image.visit, dermatologist), dermatologist, words="It is a melanoma.")
    else:
        image = suspected(answered(patient), dermatologist)
    client = sign_in(request.getfixturevalue(who))
    words = "Confirmed: Melanoma" if is_confirmed else "Suspected: Melanoma"
    before = text(client.get(reverse("image-exclude", args=[image.pk])))
    assert f"{image.lesion}: {words}." in coded(before, "finding_would_be_lost")
    assert "stays_until_confirmed_beside" in codes(before)

    answer = send(client, image, reason, note=NOTE)

    assert answer.status_code == 422
    told = text(answer)
    assert words in coded(told, "finding_would_be_lost")
    assert not Exclusion.objects.exists()


@pytest.mark.parametrize("beside", ["mel", "bcc", "nv", None, "set aside", "of another lesion"])
def test_it_may_go_where_another_photograph_in_use_says_so_too(sign_in, staff, patient, dermatologist, image, beside):
    place = {} if beside == "of another lesion" else {"lesion": image.lesion}
    other = answered(patient, **place)
    if beside:
        named(other, dermatologist, beside if beside in ("mel", "bcc", "nv") else "mel")
    if beside == "set aside":
        exclude_image(image=other, by=staff, reason="taken_twice")

    answer = send(sign_in(staff), image, "taken_twice")

    assert (answer.status_code == 302) == (beside in ("mel", "bcc"))
    assert image.exclusions.exists() == (beside in ("mel", "bcc"))
    if beside in ("mel", "bcc"):
        assert GONE not in page(sign_in(staff), image.lesion), "the lesion says so itself"
        named(other, dermatologist, "nv")
        assert GONE in page(sign_in(staff), image.lesion), "nothing says so any more"


@pytest.mark.parametrize("reason", ["other_patient", "other_lesion"])
def test_where_it_belongs_elsewhere_a_dermatologist_says_where(sign_in, staff, manager, dermatologist, image, reason):
    for member in (staff, manager):
        client = sign_in(member)
        assert "ask_a_dermatologist" in codes(client.get(reverse("image-exclude", args=[image.pk])))
        answer = send(client, image, reason, note=NOTE)
        assert answer.status_code == 422
        assert "Confirmed: Melanoma" in coded(answer, "finding_needs_dermatologist")
    client = sign_in(dermatologist)
    for note in ("", "x", "xxxxxxxxxxxxxxx"):
        answer = send(client, image, reason, note=note)
        assert answer.status_code == 422
        assert "Confirmed: Melanoma" in coded(answer, "finding_needs_note")
    assert not Exclusion.objects.exists()
    assert send(client, image, reason, note=NOTE).status_code == 302
    assert send(client, image, reason, note=NOTE).status_code == 302
    assert Exclusion.objects.get().note == NOTE, "twice is once"


def test_the_service_refuses_the_same(staff, dermatologist, image):
    for by, reason, note, error in (
        (dermatologist, "unfit", NOTE, FindingWouldBeLost),
        (staff, "other_lesion", NOTE, FindingNeedsDermatologist),
        (dermatologist, "other_lesion", "", FindingNeedsNote),
    ):
        with pytest.raises(error):
            exclude_image(image=image, by=by, reason=reason, note=note)


def test_what_its_reader_takes_back_is_no_longer_in_the_way(sign_in, staff, dermatologist, image):
    retract_review(review=image.reviews.get(), by=dermatologist)
    assert send(sign_in(staff), image, "unfit").status_code == 302


def test_a_harmless_label_is_named_and_goes(sign_in, staff, patient, dermatologist):
    image = named(answered(patient), dermatologist, "nv")
    client = sign_in(staff)
    before = text(client.get(reverse("image-exclude", args=[image.pk])))
    assert f"{image.lesion}: Confirmed: Melanocytic nevus (mole)." in coded(before, "label_no_longer_counts")
    assert send(client, image, "unfit").status_code == 302
    assert GONE not in page(client, image.lesion)


@pytest.mark.slow
def test_nothing_is_added_elsewhere_where_it_may_not_leave(sign_in, staff, dermatologist, patient):
    visit = photographed_visit(patient, MELANOMA)
    image, right = visit.images.get(), factories.LesionFactory(patient=patient)
    named(image, dermatologist, "mel")
    answer = send(sign_in(staff), image, "other_lesion", lesion=right.pk, note=NOTE)
    assert answer.status_code == 422
    assert "finding_needs_dermatologist" in codes(answer)
    assert not right.images.exists()
    client = sign_in(dermatologist)
    moved = client.post(
        reverse("image-exclude", args=[image.pk]),
        {"reason": "other_lesion", "lesion": right.pk, "note": NOTE},
        follow=True,
    )
    assert "Confirmed: Melanoma" in coded(moved, "finding_does_not_count_here")
    assert right.images.exists()
    assert GONE not in page(client, image.lesion), "is used where it belongs"


def test_what_is_named_meanwhile_counts(staff, dermatologist, patient, monkeypatch):
    """Whoever sets it aside waits for whoever names it, and asks again."""
    image, lock = answered(patient), excluded.lock_image

    def named_first(locked):
        if not locked.reviews.exists():
            named(locked, dermatologist, "mel")
        assert connection.in_atomic_block
        return lock(locked)

    monkeypatch.setattr(excluded, "lock_image", named_first)
    with pytest.raises(FindingWouldBeLost):
        exclude_image(image=image, by=staff, reason="unfit")


# --- Afterwards ------------------------------------------------------------------------------------------------------


@pytest.fixture
def calm(patient, image) -> Image:
    """Another photograph of the lesion, of a later visit, of which the network says nothing alarming."""
    return answered(patient, lesion=image.lesion)


def warned(member, sign_in, image, calm) -> list[bool]:
    """Whether each of the pages warns: the lesion, its patient, both visits, the other photograph."""
    client = sign_in(member)
    pages = [image.lesion, image.lesion.patient, image.visit, calm.visit, calm]
    return [GONE in page(client, of) for of in pages]


def test_the_lesion_goes_on_saying_what_was_named_by_whom_and_why(sign_in, dermatologist, image, calm):
    exclude_image(image=image, by=dermatologist, reason="other_patient", note=NOTE)
    assert warned(dermatologist, sign_in, image, calm) == [True] * 5
    client = sign_in(dermatologist)
    for of in (image.lesion, image.lesion.patient, image.visit, calm.visit, calm):
        told = page(client, of)
        assert f"{image.lesion.title}: Confirmed: Melanoma. Excluded by {dermatologist.name} on " in told
        assert f"another patient. {NOTE}" in told
    assert GONE in text(client.get(reverse("visit-sign", args=[calm.visit_id])))


def test_lists_say_it_in_the_place_of_a_calm_chip(sign_in, dermatologist, image, calm):
    exclude_image(image=image, by=dermatologist, reason="other_lesion", note=NOTE)
    client = sign_in(dermatologist)
    for told in (text(client.get(reverse("visits"))), page(client, image.lesion.patient)):
        assert ("finding_excluded", "urgent") in chips(told)
        assert "badge-calm" not in told


def test_the_api_says_it_too(sign_in, staff, dermatologist, image, calm):
    exclude_image(image=image, by=dermatologist, reason="other_lesion", note=NOTE)
    api = Client(headers={"authorization": f"Token {factories.api_key(staff)}"})
    said = api.get(f"/api/v1/images/{calm.pk}/similar/").json()
    assert "Confirmed: Melanoma. Excluded by" in said["warnings"][0]["text"]
    assert said["warnings"][0]["url"].endswith(image.get_absolute_url())
    assert said["warnings"][0]["text"] in page(sign_in(staff), calm)
    assert said["tier"]["code"] == "urgent"
    assert said["warnings"][0]["code"] == "finding_excluded"
    assert "Nothing alarming" not in page(sign_in(staff), calm)
    assert said["next_steps"] == [
        wording(
            "A photograph of this lesion with a dangerous finding (Confirmed: Melanoma) was excluded: find out where "
            "it belongs, then decide."
        )
    ]


def test_it_ends_where_the_photograph_is_put_back(sign_in, dermatologist, image, calm):
    exclude_image(image=image, by=dermatologist, reason="other_lesion", note=NOTE)
    undo_exclusion(image=image, by=dermatologist)
    assert warned(dermatologist, sign_in, image, calm) == [False] * 5


def test_it_ends_where_the_file_is_in_use_again_in_the_clinic(
    sign_in, clinic, other_clinic, dermatologist, image, calm
):
    exclude_image(image=image, by=dermatologist, reason="other_patient", note=NOTE)
    foreign = factories.PatientFactory(clinic=other_clinic)
    factories.ImageFactory(lesion__patient=foreign, sha256=image.sha256)
    assert warned(dermatologist, sign_in, image, calm) == [True] * 5
    again = factories.ImageFactory(lesion__patient=factories.PatientFactory(clinic=clinic), sha256=image.sha256)
    assert warned(dermatologist, sign_in, image, calm) == [False] * 5
    exclude_image(image=again, by=dermatologist, reason="other_patient", note=NOTE)
    assert warned(dermatologist, sign_in, image, calm) == [True] * 5


def test_a_suspicion_is_kept_in_mind_too(sign_in, dermatologist, patient):
    image = suspected(answered(patient), dermatologist)
    exclude_image(image=image, by=dermatologist, reason="other_lesion", note=NOTE)
    assert "Suspected: Melanoma. Excluded by" in page(sign_in(dermatologist), image.lesion)


def test_another_clinic_reads_nothing_of_it(sign_in, stranger, dermatologist, image):
    exclude_image(image=image, by=dermatologist, reason="other_lesion", note=NOTE)
    client = sign_in(stranger)
    assert client.get(image.lesion.get_absolute_url()).status_code == 404
    assert image.visit.patient.name not in text(client.get(reverse("visits")))
