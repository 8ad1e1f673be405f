"""The review screen without a script: what is shown, what is hidden, and where each button leads."""

import datetime
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from diagnosis.reviews.models import ConfirmedLabel, QueueEntry, QueueSkip, Review
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.reviews.services import record_review
from patients.models import Reading, ReviewRule, Role
from tests import factories
from tests.hooks import coded, codes

NEXT = "/admin/review/"
NETWORK_SAID = "What it could be"


@pytest.fixture(autouse=True)
def _nobody_is_drawn(settings):
    settings.REVIEW_RANDOM_SHARE = 0


@pytest.fixture(autouse=True)
def _the_network_is_shown(clinic):
    """As a clinic may choose; tests/diagnosis/record/test_blinded_first.py has the default."""
    clinic.reading = Reading.NETWORK_SHOWN
    clinic.save(update_fields=["reading"])


@pytest.fixture
def urgent(patient):
    return waiting(patient, code="mel", tier="urgent")


@pytest.fixture
def calm(patient, urgent):
    return waiting(patient, code="nv", tier="calm")


@pytest.fixture
def reader(sign_in, dermatologist):
    return sign_in(dermatologist)


def waiting(patient, *, code, tier, **facts):
    image = factories.ImageFactory(lesion__patient=patient, **facts)
    factories.PredictionFactory(image=image, code=code, tier=tier)
    refresh_queue_entry(image=image)
    return image


def address(image, action="photograph") -> str:
    return reverse(f"admin:review-{action}", args=[image.pk])


def shown(client, path=NEXT):
    page = client.get(path)
    assert page.status_code == 200
    return page


def answer(client, image, what, **facts):
    return client.post(address(image), {"answer": what, "certainty": "certain", **facts})


def test_the_worthiest_is_shown_with_all_that_is_known(reader, urgent, calm, patient):
    page = shown(reader)
    text = page.content.decode()
    assert page.context["image"] == urgent
    assert "The network finds it urgent" in text
    assert NETWORK_SAID in text
    assert reverse("image-file", args=[urgent.pk, "heat-map"]) in text
    assert patient.name in text
    assert urgent.lesion.place in text
    assert "0 of 2 today" in text
    assert reverse("image-file", args=[calm.pk, "display"]) in text, "the next photograph is loaded ahead"


def test_an_answer_is_kept_and_the_next_one_follows(reader, dermatologist, urgent, calm):
    assert answer(reader, urgent, "mel", reason="Veil.", basis="histopathology").url == NEXT
    review = Review.objects.get()
    assert (review.image, review.reviewer, review.answer) == (urgent, dermatologist, "mel")
    assert (review.certainty, review.basis, review.reason, review.was_blinded) == (
        "certain", "histopathology", "Veil.", False,
    )  # fmt: skip
    page = shown(reader)
    assert page.context["image"] == calm
    assert "1 of 2 today" in page.content.decode()
    assert "Recorded: <b>Melanoma</b>" in page.content.decode()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"answer": "other", "certainty": "certain"}, "Say what else it is."),
        ({"answer": "", "certainty": "certain"}, "Choose what it is."),
        ({"answer": "nv"}, "Say how sure you are."),
        ({"answer": "rash", "certainty": "certain"}, "rash is not one of the available choices"),
        ({"answer": "nv", "certainty": "certain", "basis": "rumour"}, "rumour is not one of the available choices"),
        ({"answer": "nv", "certainty": "certain", "reason": "nul \x00"}, "Null characters are not allowed"),
    ],
)
def test_what_cannot_be_kept_is_said_and_stays_written(reader, urgent, sent, said):
    page = reader.post(address(urgent), {**sent, "reason": sent.get("reason", "My note")})
    assert page.status_code == 422
    assert said in page.content.decode()
    assert not Review.objects.exists()


@pytest.mark.parametrize("what", ["other", "cannot_tell", "not_a_lesion"])
def test_answers_beyond_the_seven(reader, urgent, what):
    answer(reader, urgent, what, other_text="Clear cell acanthoma", danger="not_known")
    assert Review.objects.get().answer == what
    assert ConfirmedLabel.objects.get().is_settled == (what != "cannot_tell")


def test_skipping_and_coming_back(reader, urgent, calm):
    assert reader.post(address(urgent, "skip")).url == NEXT
    assert shown(reader).context["image"] == calm
    answer(reader, calm, "nv")
    page = shown(reader)
    assert page.context["image"] is None
    assert "only_skipped_left" in codes(page)
    reader.post(reverse("admin:review-skipped"))
    assert shown(reader).context["image"] == urgent
    assert not QueueSkip.objects.exists()


def test_the_last_skip_is_named_and_undone_by_the_same_key(reader, dermatologist, urgent, calm):
    answer(reader, urgent, "mel")
    reader.post(address(calm, "skip"))
    page = shown(reader).content.decode()
    assert f"Skipped: {calm.lesion.place}, {calm.visit.patient.name}." in page
    assert "Recorded:" not in page, "the key would withdraw a good review"
    assert "1 of 2 today" in page, "a skipped photograph is still to be done"
    assert reader.post(reverse("admin:review-undo")).url == address(calm)
    assert not QueueSkip.objects.exists()
    assert Review.objects.standing().get().image == urgent
    assert shown(reader).context["image"] == calm


def test_another_photograph_of_the_lesion_that_is_confirmed_otherwise_is_named(reader, dermatologist, urgent):
    other = waiting(urgent.visit.patient, code="nv", tier="calm", lesion=urgent.lesion, visit=urgent.visit)
    answer(reader, urgent, "mel")
    assert "conflicting_label" not in codes(shown(reader))
    answer(reader, other, "nv")
    assert "Melanoma" in coded(shown(reader), "conflicting_label")
    answer(reader, other, "mel")
    assert "conflicting_label" not in codes(shown(reader))


def test_who_cannot_tell_is_told_that_it_settles_nothing(reader, urgent):
    answer(reader, urgent, "cannot_tell")
    page = shown(reader).content.decode()
    assert "Recorded: <b>Cannot tell</b>" in page
    assert "does_not_settle" in codes(page)


def test_nothing_waits(reader, db):
    text = shown(reader).content.decode()
    assert "nothing_to_review" in codes(text)
    assert reverse("visits") in text


def test_undoing_a_review(reader, urgent, calm):
    answer(reader, urgent, "nv")
    assert reader.post(reverse("admin:review-undo")).url == address(urgent)
    assert ConfirmedLabel.objects.get().state == "open"
    page = shown(reader, address(urgent)).content.decode()
    assert "Melanocytic nevus (mole)" in coded(page, "review_undone")
    assert "withdrawn" in page
    again = reader.post(reverse("admin:review-undo"), follow=True).content.decode()
    assert "nothing_to_undo" in codes(again)


def test_what_was_taken_back_stays_written_and_nothing_before_it_is_offered(reader, urgent, calm):
    answer(reader, urgent, "mel")
    answer(reader, calm, "nv", certainty="unsure", basis="follow_up", reason="Grew since spring.")
    reader.post(reverse("admin:review-undo"))
    page = shown(reader, address(calm))
    assert page.context["form"].initial == {
        "made_from": "",
        "certainty": "unsure", "basis": "follow_up", "reason": "Grew since spring.", "other_text": "",
        "danger": "",
    }  # fmt: skip
    assert "Undo <kbd>" not in page.content.decode()
    reader.post(reverse("admin:review-undo"))
    assert Review.objects.standing().get().image == urgent


def test_after_ten_minutes_there_is_nothing_to_take_back(reader, urgent):
    answer(reader, urgent, "nv")
    Review.objects.update(created_at=timezone.now() - datetime.timedelta(minutes=11))
    assert "Undo <kbd>" not in shown(reader).content.decode()
    reader.post(reverse("admin:review-undo"))
    assert ConfirmedLabel.objects.get().answer == "nv"


# --- Blinded ---------------------------------------------------------------------------------------------------


@pytest.fixture
def blinded(clinic):
    clinic.review_rule = ReviewRule.TWO_BLINDED_READERS
    clinic.save(update_fields=["review_rule"])


def gives_the_network_away(text: str, image) -> bool:
    """Whether a page says what the network or a colleague said, or leads to it."""
    prediction = image.predictions.get()
    signs = [
        NETWORK_SAID,
        reverse("image-file", args=[image.pk, "heat-map"]),
        reverse("image-similar", args=[image.pk]),
        image.get_absolute_url() + '"',
        prediction.get_tier_display(),
        "The network finds it urgent",
        "Confirmed:",
        "Network and reader disagree",
    ]
    return any(sign in text for sign in signs)


def test_a_blinded_reader_sees_the_photograph_alone(reader, urgent, calm, blinded, clinic):
    colleague = factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)
    earlier = waiting(urgent.visit.patient, code="bcc", tier="watch", lesion=urgent.lesion, visit=urgent.visit)
    for image in (urgent, earlier):
        record_review(
            image=image, reviewer=colleague, answer="bkl", certainty="certain", was_blinded=True, reason="So I think."
        )
    page = shown(reader)
    text = page.content.decode()
    assert page.context["image"] == urgent
    assert not gives_the_network_away(text, urgent)
    assert "So I think." not in text
    assert "badge-watch" not in text, "nor what was said of the lesion's other photographs"
    assert reverse("image-file", args=[earlier.pk, "thumbnail"]) in text

    answer(reader, urgent, "mel")
    assert Review.objects.latest("created_at").was_blinded
    assert not gives_the_network_away(shown(reader).content.decode(), urgent)
    revealed = shown(reader, address(urgent)).content.decode()
    assert NETWORK_SAID in revealed
    assert "So I think." in revealed


def test_who_has_looked_cannot_take_a_blinded_review_back(reader, urgent, blinded):
    answer(reader, urgent, "nv")
    shown(reader, address(urgent))
    page = reader.post(reverse("admin:review-undo"), follow=True).content.decode()
    assert "network_seen_since" in codes(page)
    assert Review.objects.standing().count() == 1
    answer(reader, urgent, "mel")
    assert not Review.objects.latest("created_at").was_blinded


def test_a_slip_is_taken_back_and_stays_blinded(reader, urgent, blinded):
    answer(reader, urgent, "nv")
    reader.post(reverse("admin:review-undo"))
    assert not gives_the_network_away(shown(reader, address(urgent)).content.decode(), urgent)
    answer(reader, urgent, "mel")
    assert Review.objects.latest("created_at").was_blinded


def test_one_may_work_blinded_where_the_clinic_leaves_it_open(reader, urgent, calm):
    reader.post(reverse("admin:review-mode"), {"blinded": "on"})
    assert not gives_the_network_away(shown(reader).content.decode(), urgent)
    answer(reader, urgent, "mel")
    assert Review.objects.get().was_blinded
    reader.post(reverse("admin:review-mode"), {"blinded": "off"})
    assert NETWORK_SAID in shown(reader).content.decode()
    reader.post(reverse("admin:review-mode"), {"blinded": "on"})
    answer(reader, calm, "nv")
    assert not Review.objects.latest("created_at").was_blinded, "it was seen before it was hidden"


def test_hiding_is_not_ones_own_choice_under_the_clinics_rule(reader, urgent, blinded):
    reader.post(reverse("admin:review-mode"), {"blinded": "off"})
    text = shown(reader).content.decode()
    assert not gives_the_network_away(text, urgent)
    assert reverse("admin:review-mode") not in text


# --- For whom, and at what cost --------------------------------------------------------------------------------


def test_answers_are_for_the_clinics_dermatologists(sign_in, urgent, manager, stranger):
    assert sign_in(manager).get(NEXT).status_code == 403
    assert sign_in(stranger).get(address(urgent)).status_code == 404
    for member in (manager, stranger):
        assert answer(sign_in(member), urgent, "mel").status_code in (403, 404)
    assert not Review.objects.exists()
    assert QueueEntry.objects.get().claimed_by is None


def test_who_else_has_it_on_the_screen_is_told(reader, sign_in, clinic, urgent):
    colleague = factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)
    assert "open_at_a_colleague" not in codes(shown(reader).content.decode())
    page = shown(sign_in(colleague), address(urgent)).content.decode()
    assert "open_at_a_colleague" in codes(page)
    assert shown(sign_in(colleague)).context["image"] is None


def test_the_screen_costs_the_same_for_any_number(reader, patient, urgent, calm):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            shown(reader)
        return len(captured)

    shown(reader)
    few = queries()
    for _number in range(6):
        waiting(patient, code="nv", tier="calm")
    assert queries() == few


def test_the_page_obeys_the_content_security_policy(reader, urgent):
    text = shown(reader).content.decode()
    assert " style=" not in text
    assert "<script>" not in text
    assert not re.search(r"\son\w+=", text)


def test_the_queue_as_a_list_with_filters_and_search(reader, sign_in, manager, urgent, calm, clinic, dermatologist):
    listing = reverse("admin:diagnosis_queueentry_changelist")

    def listed(client=reader, **query):
        return [entry.image for entry in shown_list(client, query).context["cl"].result_list]

    def shown_list(client, query):
        page = client.get(listing, query)
        assert page.status_code == 200
        return page

    assert listed() == [urgent, calm]
    assert listed(reason="urgent") == [urgent]
    assert listed(state="done") == []
    assert listed(q=urgent.visit.patient.record_number) == [urgent, calm]
    assert listed(q="nobody") == []
    assert (listed(needs="1"), listed(needs="2"), listed(needs="x")) == ([urgent, calm], [], [urgent, calm])
    assert address(urgent) in shown_list(reader, {}).content.decode()
    record_review(image=calm, reviewer=dermatologist, answer="nv", certainty="certain")
    assert (listed(), listed(state="done")) == ([urgent], [calm])
    clinic.review_rule = ReviewRule.TWO_BLINDED_READERS
    clinic.save(update_fields=["review_rule"])
    assert 'class="field-why"' not in shown_list(reader, {}).content.decode()
    assert 'class="field-why"' in shown_list(sign_in(manager), {}).content.decode()
