"""What dermatologists say: overrides and reviews, through the services and the pages."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from diagnosis.assessment.errors import NothingToOverride, ReasonMissing
from diagnosis.assessment.overrides import override_refusal
from diagnosis.assessment.photographs import photographs
from diagnosis.images.models import Image, Prediction, QualityOverride
from diagnosis.reviews.models import Review
from diagnosis.reviews.services import record_review
from patients.models import VisitStatus
from patients.services.visits import VisitIsClosed
from tests import factories
from tests.diagnosis.photographing import blurred, kept, stored_files
from tests.hooks import coded, codes, error_codes


@pytest.fixture
def visit(patient, staff):
    return factories.VisitFactory.create(patient=patient, clinician=staff)


@pytest.fixture
def image(visit, staff, photograph):
    return kept(visit, factories.LesionFactory.create(patient=visit.patient), staff, photograph)


@pytest.fixture
def refused(visit, staff, photograph):
    return kept(visit, factories.LesionFactory.create(patient=visit.patient), staff, blurred(photograph))


def test_an_override_judges_and_keeps_who_and_why(refused, dermatologist):
    prediction = override_refusal(image=refused, by=dermatologist, reason="  Only photograph of an excised lesion. ")

    assert refused.predictions.get() == prediction
    override = QualityOverride.objects.get(image=refused)
    assert (override.member, override.reason) == (dermatologist, "Only photograph of an excised lesion.")
    assert Image.objects.get(pk=refused.pk).verdict == "blurred"


def test_an_override_states_a_reason(refused, dermatologist):
    with pytest.raises(ReasonMissing):
        override_refusal(image=refused, by=dermatologist, reason=" \n ")


def test_there_is_nothing_to_override_twice_or_when_it_was_judged(image, refused, dermatologist):
    override_refusal(image=refused, by=dermatologist, reason="Needed.")

    for judged in (image, refused):
        with pytest.raises(NothingToOverride):
            override_refusal(image=judged, by=dermatologist, reason="Again.")
    assert Prediction.objects.count() == 2


def test_a_signed_visit_takes_no_override(refused, dermatologist, settings):
    before = stored_files(settings.MEDIA_ROOT)
    type(refused.visit).objects.update(status=VisitStatus.SIGNED)

    with pytest.raises(VisitIsClosed):
        override_refusal(image=refused, by=dermatologist, reason="Too late.")

    assert stored_files(settings.MEDIA_ROOT) == before


def test_only_the_clinics_dermatologists_override_and_review(image, refused, staff, manager, stranger):
    for member in (staff, manager, stranger):
        with pytest.raises(PermissionDenied):
            override_refusal(image=refused, by=member, reason="Let me.")
        with pytest.raises(PermissionDenied):
            record_review(image=image, reviewer=member, answer="mel", certainty="certain", reason="")


def test_the_newest_deciding_review_is_the_confirmed_label(image, dermatologist):
    for code, certainty in (("nv", "certain"), ("mel", "probable"), ("bcc", "unsure")):
        record_review(image=image, reviewer=dermatologist, answer=code, certainty=certainty, reason="")

    assert [photograph.confirmed for photograph in photographs(Image.objects.all())] == ["Melanoma"]
    assert Review.objects.count() == 3


def test_a_dermatologist_corrects_a_label_on_the_page(image, dermatologist, sign_in):
    client = sign_in(dermatologist)

    answer = client.post(
        reverse("image-review", args=[image.pk]),
        {"answer": "bkl", "certainty": "certain", "reason": "Milia-like cysts <b>"},
        follow=True,
    )

    page = answer.content.decode()
    assert answer.redirect_chain == [(image.get_absolute_url(), 302)]
    assert "Benign keratosis" in coded(page, "confirmed")
    assert "Milia-like cysts &lt;b&gt;" in page
    assert dermatologist.name in page


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"answer": "mel", "certainty": ""}, "Say how sure you are."),
        ({"answer": "", "certainty": "certain"}, "Choose what it is."),
        ({"answer": "cancer", "certainty": "certain"}, "cancer is not one of the available choices"),
        ({"answer": "mel", "certainty": "certain", "reason": "x" * 2001}, "at most 2000 characters"),
        ({"answer": "mel", "certainty": "certain", "reason": "nul \x00"}, "Null characters are not allowed"),
    ],
)
def test_a_review_that_cannot_be_kept_says_why(image, dermatologist, sign_in, sent, said):
    answer = sign_in(dermatologist).post(reverse("image-review", args=[image.pk]), sent)

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Review.objects.exists()


def test_a_signed_visit_can_still_be_reviewed(image, dermatologist, sign_in):
    type(image.visit).objects.update(status=VisitStatus.SIGNED)

    sign_in(dermatologist).post(reverse("image-review", args=[image.pk]), {"answer": "mel", "certainty": "certain"})

    assert Review.objects.get().reviewer == dermatologist


def test_a_dermatologist_overrides_on_the_page(refused, dermatologist, sign_in):
    client = sign_in(dermatologist)
    address = reverse("image-override", args=[refused.pk])

    empty = client.post(address, {"reason": "  "})
    done = client.post(address, {"reason": "The lesion is gone."}, follow=True).content.decode()
    again = client.post(address, {"reason": "Once more."})

    assert empty.status_code == 422
    assert error_codes(empty) == {"reason": ["required"]}
    assert "The lesion is gone." in done
    assert "failed_quality_check" in codes(done)
    assert "<progress" not in done
    assert again.status_code == 422
    assert "nothing_to_override" in codes(again)
    assert Prediction.objects.count() == 1


@pytest.mark.parametrize("name", ["image-review", "image-override"])
def test_others_may_not(refused, staff, stranger, sign_in, client, name):
    address = reverse(name, args=[refused.pk])
    sent = {"answer": "mel", "certainty": "certain", "reason": "Let me."}

    assert sign_in(staff).post(address, sent).status_code == 403
    assert sign_in(stranger).post(address, sent).status_code == 404
    assert client.post(address, sent).url.startswith(reverse("account_login"))
    assert sign_in(stranger).get(address).status_code == 405
    assert not Review.objects.exists()
    assert not QualityOverride.objects.exists()
