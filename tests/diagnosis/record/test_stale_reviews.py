"""Two dermatologists before one photograph: no answer takes a colleague's away unseen, and none of danger at all."""

import pytest
from django.test import Client
from django.urls import reverse

from diagnosis.reviews.answers import Basis, LabelState, Why
from diagnosis.reviews.models import ConfirmedLabel, PhotographOnScreen, QueueEntry, Review
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.reviews.services import record_review
from patients.models import ReviewRule, Role
from tests import factories
from tests.hooks import coded, codes

pytestmark = pytest.mark.usefixtures("network_shown")

HELENA, ANA = "Helena", "Ana"


@pytest.fixture(autouse=True)
def _nobody_is_drawn(settings):
    settings.REVIEW_RANDOM_SHARE = 0


def named(clinic, name):
    return factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST, user__first_name=name)


@pytest.fixture
def helena(clinic):
    return named(clinic, HELENA)


@pytest.fixture
def ana(clinic):
    return named(clinic, ANA)


@pytest.fixture
def image(patient):
    image = factories.ImageFactory(lesion__patient=patient)
    factories.PredictionFactory(image=image)
    refresh_queue_entry(image=image)
    return image


def words(response) -> str:
    return " ".join(response.content.decode().split())


def screen(image) -> str:
    return reverse("admin:review-photograph", args=[image.pk])


class Page:
    """The review screen or the result's page, opened; what is sent comes from this showing of it."""

    def __init__(self, client: Client, address: str, send_to: str, form: str) -> None:
        self.client, self.send_to, self.form = client, send_to, form
        self.made_from = client.get(address).context[form]["made_from"].value() or ""

    def answer(self, answer: str, **facts):
        sent = {"answer": answer, "certainty": "certain", "made_from": self.made_from, **facts}
        return self.client.post(self.send_to, sent)


def on_the_screen(client, image) -> Page:
    return Page(client, screen(image), screen(image), "form")


def on_the_result(client, image) -> Page:
    return Page(client, image.get_absolute_url(), reverse("image-review", args=[image.pk]), "review_form")


DOORS = pytest.mark.parametrize("door", [on_the_screen, on_the_result])


# --- Unseen: refused ---------------------------------------------------------------------------------------------


@DOORS
def test_an_answer_from_a_page_of_before_is_refused_beside_the_colleagues(sign_in, helena, ana, image, door):
    hers, own = door(sign_in(helena), image), door(sign_in(ana), image)
    assert hers.answer("mel", reason="Blue veil").status_code == 302

    response = own.answer("nv", reason="Regular network")

    assert response.status_code == 409
    page = words(response)
    assert "Blue veil" in page
    assert f"{HELENA} {helena.user.last_name}" in page
    assert "Melanoma, certain" in page
    assert "Regular network" in page
    assert 'value="nv"> Record' in page
    assert Review.objects.count() == 1
    assert ConfirmedLabel.objects.get().answer == "mel"


@DOORS
def test_it_is_recorded_when_it_is_meant_and_settles_nothing(sign_in, staff, helena, ana, image, door):
    hers, own = door(sign_in(helena), image), door(sign_in(ana), image)
    hers.answer("mel")
    refused = own.answer("nv")
    own.made_from = refused.context[own.form]["made_from"].value()

    assert own.answer("nv").status_code == 302

    assert Review.objects.count() == 2
    assert ConfirmedLabel.objects.values_list("state", "answer", "why").get() == (
        LabelState.DISPUTED,
        "",
        Why.READERS_DIFFER,
    )
    assert QueueEntry.objects.values_list("state", "reason").get() == ("waiting", "readers_disagree")
    client = sign_in(staff)
    for url in (image.get_absolute_url(), image.visit.get_absolute_url(), reverse("visits")):
        page = words(client.get(url))
        assert "Suspected: Melanoma" in page, url
        assert "Confirmed" not in page, url
    assert "A dermatologist has called it Melanoma" in words(
        sign_in(ana).get(reverse("visit-sign", args=[image.visit_id]))
    )


def test_who_answers_is_told_that_it_settles_nothing(sign_in, helena, ana, image):
    on_the_screen(sign_in(helena), image).answer("mel")
    client = sign_in(ana)
    on_the_screen(client, image).answer("nv")
    page = words(client.get(reverse("admin:review")))
    assert f"({HELENA} {helena.user.last_name}: Melanoma)" in coded(page, "colleague_called_it_malignant")


def test_a_skip_from_a_page_of_before_shows_the_answer_instead(sign_in, helena, ana, image):
    own = on_the_screen(sign_in(ana), image)
    on_the_screen(sign_in(helena), image).answer("mel")
    sent = {"made_from": own.made_from}
    response = own.client.post(reverse("admin:review-skip", args=[image.pk]), sent)
    assert response.status_code == 409
    assert "Melanoma, certain" in words(response)
    assert not image.skips.exists()


def test_a_stale_page_takes_nothing_else_back(sign_in, helena, patient, image):
    other = factories.ImageFactory(lesion__patient=patient)
    refresh_queue_entry(image=other)
    client = sign_in(helena)
    on_the_screen(client, image).answer("mel")
    stale = client.get(reverse("admin:review")).context["last"].key
    on_the_screen(client, other).answer("nv")
    response = client.post(reverse("admin:review-undo"), {"step": stale})
    assert response.status_code == 409
    assert "stale_step" in codes(words(response))
    assert Review.objects.standing().count() == 2
    assert client.post(reverse("admin:review-undo"), {"step": response.context["last"].key}).status_code == 302
    assert Review.objects.standing().get().image == image


def test_the_administration_refuses_it_too(sign_in, helena, ana, image):
    client, url = sign_in(ana), reverse("admin:diagnosis_image_change", args=[image.pk])
    formset = client.get(url).context["inline_admin_formsets"][0].formset
    form = {"predictions-TOTAL_FORMS": 0, "predictions-INITIAL_FORMS": 0, "reviews-TOTAL_FORMS": 1,
            "reviews-INITIAL_FORMS": 0, "reviews-made_from": formset.management_form["made_from"].value() or "",
            "reviews-0-answer": "nv", "reviews-0-other_text": "", "reviews-0-certainty": "certain",
            "reviews-0-basis": "dermatoscopy", "reviews-0-reason": "Regular network"}  # fmt: skip
    record_review(image=image, reviewer=helena, answer="mel", certainty="certain")
    response = client.post(url, form)
    assert response.status_code == 409
    page = words(response)
    assert f"{HELENA} {helena.user.last_name}: Melanoma, certain" in page
    assert "Regular network" in page
    assert Review.objects.count() == 1
    again = response.context["inline_admin_formsets"][0].formset.management_form["made_from"].value()
    assert f'name="reviews-made_from" value="{again}"' in page
    assert client.post(url, {**form, "reviews-made_from": again}).status_code == 302
    assert ConfirmedLabel.objects.get().state == LabelState.DISPUTED


def test_the_administration_asks_about_spelling_once(sign_in, ana, image):
    client, url = sign_in(ana), reverse("admin:diagnosis_image_change", args=[image.pk])
    form = {"predictions-TOTAL_FORMS": 0, "predictions-INITIAL_FORMS": 0, "reviews-TOTAL_FORMS": 1,
            "reviews-INITIAL_FORMS": 0, "reviews-0-answer": "other", "reviews-0-other_text": "sqamous cell ca",
            "reviews-0-certainty": "certain", "reviews-0-basis": "dermatoscopy", "reviews-0-reason": ""}  # fmt: skip
    page = words(client.post(url, form))
    assert "Squamous cell carcinoma" in page
    assert 'name="reviews-as_typed" value="sqamous cell ca"' in page
    assert client.post(url, {**form, "reviews-as_typed": "sqamous cell ca"}).status_code == 302
    assert Review.objects.get().answer == "other"


def test_a_form_without_what_it_was_made_from_is_stale_where_there_is_something_to_lose(sign_in, helena, ana, image):
    client = sign_in(ana)
    sent = {"answer": "nv", "certainty": "certain"}
    assert client.post(screen(image), sent).status_code == 302
    record_review(image=image, reviewer=helena, answer="mel", certainty="certain")
    assert client.post(screen(image), {**sent, "made_from": "0123,nonsense"}).status_code == 409


def test_a_blinded_reader_is_neither_refused_nor_told(sign_in, clinic, helena, ana, image):
    clinic.review_rule = ReviewRule.TWO_BLINDED_READERS
    clinic.save()
    own = on_the_screen(sign_in(ana), image)
    on_the_screen(sign_in(helena), image).answer("mel")
    assert own.answer("nv").status_code == 302
    assert list(Review.objects.values_list("was_blinded", flat=True)) == [True, True]
    assert ConfirmedLabel.objects.get().state == LabelState.DISPUTED


# --- Seen: what settles, and what does not -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "then", "facts", "state", "label"),
    [
        ("mel", "nv", {}, "disputed", ""),
        ("scc", "psoriasis", {}, "disputed", ""),
        ("mel", "not_a_lesion", {}, "disputed", ""),
        ("mel", "other", {"other_text": "Grey spot", "danger": "not_known"}, "disputed", ""),
        ("mel", "nv", {"basis": Basis.FOLLOW_UP}, "disputed", ""),
        ("mel", "nv", {"basis": Basis.HISTOPATHOLOGY}, "settled", "nv"),
        ("mel", "bcc", {}, "settled", "bcc"),
        ("mel", "nv", {"certainty": "unsure"}, "settled", "mel"),
        ("nv", "mel", {}, "settled", "mel"),
        ("nv", "bkl", {}, "settled", "bkl"),
    ],
)
def test_nothing_harmless_replaces_a_colleagues_malignant_answer(
    sign_in, helena, ana, image, first, then, facts, state, label
):
    on_the_screen(sign_in(helena), image).answer(first)
    assert on_the_screen(sign_in(ana), image).answer(then, **facts).status_code == 302
    assert ConfirmedLabel.objects.values_list("state", "answer").get() == (state, label)


def test_it_is_settled_when_the_colleague_agrees(sign_in, helena, ana, image):
    on_the_screen(sign_in(helena), image).answer("mel")
    on_the_screen(sign_in(ana), image).answer("nv")
    assert on_the_screen(sign_in(helena), image).answer("nv").status_code == 302
    assert ConfirmedLabel.objects.values_list("state", "answer").get() == ("settled", "nv")
    assert QueueEntry.objects.get().state == "done"


def test_ones_own_answer_may_be_corrected(sign_in, helena, image):
    client = sign_in(helena)
    on_the_screen(client, image).answer("mel")
    on_the_screen(client, image).answer("nv")
    assert ConfirmedLabel.objects.values_list("state", "answer").get() == ("settled", "nv")


def test_a_third_reader_alone_does_not_outvote_it(sign_in, clinic, helena, ana, image):
    for reader, answer in ((helena, "mel"), (ana, "nv"), (named(clinic, "Carla"), "nv")):
        on_the_screen(sign_in(reader), image).answer(answer)
    assert ConfirmedLabel.objects.values_list("state", "why").get() == ("disputed", Why.NO_MAJORITY)
    assert QueueEntry.objects.get().needs == 4


# --- Who else is looking -----------------------------------------------------------------------------------------


def test_each_is_told_who_else_has_it_on_the_screen(sign_in, helena, ana, image):
    first, second = sign_in(helena), sign_in(ana)
    others = reverse("admin:review-others", args=[image.pk])
    on_screen = "has this photograph open right now"
    assert on_screen not in words(first.get(screen(image)))
    assert f"{HELENA} {helena.user.last_name} {on_screen}" in words(second.get(screen(image)))
    assert f"{ANA} {ana.user.last_name} {on_screen}" in words(first.get(others))
    on_the_screen(second, image).answer("nv")
    assert on_screen not in words(first.get(others))
    PhotographOnScreen.objects.update(until="2020-01-01T00:00:00Z")
    assert on_screen not in words(second.get(others))


# --- In one's own words ------------------------------------------------------------------------------------------


@DOORS
def test_whether_own_words_are_malignant_is_answered_deliberately(sign_in, ana, image, door):
    page = door(sign_in(ana), image)
    opened = words(page.client.get(image.get_absolute_url()))
    assert 'name="danger" value="not_known"' in opened
    assert 'name="danger" value=""' not in opened
    facts = {"other_text": "Clear cell acanthoma"}
    response = page.answer("other", **facts)
    assert response.status_code == 422
    assert response.context[page.form].has_error("danger", "danger_missing")
    assert not Review.objects.exists()
    assert page.answer("other", **facts, danger="not_known").status_code == 302
    assert Review.objects.get().answer == "other"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("sqamous cell ca", "scc"), ("squamos cell carcinom", "scc"), ("invasive SCC", "scc"),
        ("probably squamous cell carcinoma", "scc"), ("merkle cell carcinoma", "merkel"), ("melenoma", "mel"),
        ("basal cel carcinoma", "bcc"), ("keratoacantoma", "keratoacanthoma"), ("dermatofibrom", "df"),
    ],
)  # fmt: skip
def test_a_name_nearly_spelt_is_offered(sign_in, ana, image, typed, code):
    response = on_the_screen(sign_in(ana), image).answer("other", other_text=typed, danger="not_known")
    assert response.status_code == 422
    assert code in [found for found, _name in response.context["form"].suggested]
    assert f'name="answer" value="{code}"' in words(response)


@pytest.mark.parametrize("typed", ["Clear cell acanthoma", "carcinoma", "Grey spot", "lump"])
def test_what_resembles_no_name_or_too_many_is_not_asked_about(sign_in, ana, image, typed):
    sent = {"other_text": typed, "danger": "not_known"}
    assert on_the_screen(sign_in(ana), image).answer("other", **sent).status_code == 302


@DOORS
@pytest.mark.parametrize(
    "typed",
    [
        "carcinoma",
        "Krebs",
        "metastasis of lung",
        "Merkle cell carcinma",
        "squamos cel carcinnoma",
        "melenoma",
        "Hautkrebs?",
    ],
)
def test_own_words_that_name_a_cancer_are_not_taken_for_harmless(sign_in, ana, image, door, typed):
    page = door(sign_in(ana), image)
    for sent in ({}, {"as_typed": typed}):
        refused = page.answer("other", other_text=typed, danger="other_benign", **sent)
        assert refused.status_code == 422
    assert not Review.objects.exists()
    assert page.answer("other", other_text=typed, danger="other_malignant", as_typed=typed).status_code == 302
    assert ConfirmedLabel.objects.get().answer == "other_malignant"


@pytest.mark.parametrize("typed", ["Clear cell acanthoma", "accessory nipple", "tattoo", "old scar", "wart"])
def test_harmless_own_words_are_taken_as_they_are(sign_in, ana, image, typed):
    sent = {"other_text": typed, "danger": "other_benign", "as_typed": typed}
    assert on_the_screen(sign_in(ana), image).answer("other", **sent).status_code == 302
