"""Labels of one lesion that contradict each other are seen wherever somebody works with it."""

import pytest
from django.urls import reverse

from diagnosis.assessment.exclusions import exclude_image, undo_exclusion
from diagnosis.images.models import ExclusionReason
from diagnosis.reports.models import Report
from diagnosis.reviews.models import QueueEntry
from diagnosis.reviews.queue import offer_for, refresh_queue_entry
from diagnosis.reviews.services import record_review, retract_review
from patients.models import ReviewRule
from tests import factories
from tests.diagnosis.reporting import chosen_steps, signed_report
from tests.hooks import codes, wording

WARNING = "confirmed labels of its photographs contradict each other"


@pytest.fixture(autouse=True)
def _nobody_is_drawn(settings):
    settings.REVIEW_RANDOM_SHARE = 0


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory(patient=patient)


@pytest.fixture
def photograph(lesion):
    """Return a function that makes a photograph of the lesion at a visit of its own."""

    def _photograph(**facts):
        image = factories.ImageFactory(lesion=lesion, **facts)
        factories.PredictionFactory(image=image, code=facts.pop("code", "nv"))
        refresh_queue_entry(image=image)
        return image

    return _photograph


def say(image, reader, answer, **facts):
    return record_review(image=image, reviewer=reader, answer=answer, certainty="certain", **facts)


def reasons(image) -> list[str]:
    return QueueEntry.objects.get(image=image).reasons


@pytest.mark.usefixtures("network_shown")
@pytest.mark.parametrize(
    ("first", "second"), [("nv", "bkl"), ("bkl", "nv"), ("other", "nv"), ("not_a_lesion", "nv"), ("scar", "keloid")]
)
@pytest.mark.usefixtures("network_shown")
def test_the_older_label_is_asked_for_again_where_the_open_work_is(photograph, dermatologist, sign_in, first, second):
    older, newer = photograph(), photograph()
    text = {"other_text": "A tick"} if first == "other" else {}
    say(older, dermatologist, first, **text)
    assert reasons(older) == []
    say(newer, dermatologist, second)
    assert (reasons(older), reasons(newer)) == (["labels_contradict"], [])
    queue = sign_in(dermatologist).get(reverse("admin:diagnosis_queueentry_changelist")).content.decode()
    assert "Labels of its lesion contradict each other" in queue
    assert "contradiction" in codes(queue), "the chip"
    only = sign_in(dermatologist).get(
        reverse("admin:diagnosis_queueentry_changelist"), {"reason": "labels_contradict"}
    )
    assert [entry.image_id for entry in only.context["cl"].result_list] == [older.pk]
    entry = offer_for(dermatologist).entry
    assert entry is not None
    assert entry.image == older, "who has read both is asked too"


def test_it_comes_before_what_is_urgent(photograph, dermatologist, patient):
    older, newer = photograph(), photograph()
    urgent = factories.ImageFactory(lesion__patient=patient)
    factories.PredictionFactory(image=urgent, code="mel", tier="urgent")
    refresh_queue_entry(image=urgent)
    say(older, dermatologist, "nv")
    say(newer, dermatologist, "bkl")
    entry = offer_for(dermatologist).entry
    assert entry is not None
    assert entry.image == older


def test_it_is_done_when_it_was_corrected_or_read_again(photograph, dermatologist):
    older, newer = photograph(), photograph()
    say(older, dermatologist, "nv")
    say(newer, dermatologist, "bkl")
    say(older, dermatologist, "nv")
    assert (reasons(older), reasons(newer)) == ([], []), "a lesion may change: both were seen"
    say(newer, dermatologist, "df")
    assert (reasons(older), reasons(newer)) == (["labels_contradict"], []), "what is new was not"
    say(newer, dermatologist, "nv")
    assert (reasons(older), reasons(newer)) == ([], [])


def test_what_is_taken_back_or_excluded_contradicts_nothing(photograph, dermatologist):
    older, newer = photograph(), photograph()
    say(older, dermatologist, "nv")
    slip = say(newer, dermatologist, "bkl")
    retract_review(review=slip, by=dermatologist)
    assert reasons(older) == []
    say(newer, dermatologist, "bkl")
    assert reasons(older) == ["labels_contradict"]
    exclude_image(image=newer, by=dermatologist, reason=ExclusionReason.UNFIT)
    assert reasons(older) == []
    undo_exclusion(image=newer, by=dermatologist)
    assert reasons(older) == ["labels_contradict"]


def test_another_readers_words_contradict_too(photograph, dermatologist):
    older, newer = photograph(), photograph()
    say(older, dermatologist, "other_benign", other_text="Clear cell acanthoma")
    say(newer, dermatologist, "other_benign", other_text="clear  cell ACANTHOMA")
    assert reasons(older) == []
    say(newer, dermatologist, "other_benign", other_text="Granular cell tumour")
    assert reasons(older) == ["labels_contradict"]


def test_a_blinded_reader_is_not_told_in_the_list(photograph, dermatologist, clinic, sign_in):
    older, newer = photograph(), photograph()
    say(older, dermatologist, "nv")
    say(newer, dermatologist, "bkl")
    clinic.review_rule = ReviewRule.TWO_BLINDED_READERS
    clinic.save(update_fields=["review_rule"])
    client, address = sign_in(dermatologist), reverse("admin:diagnosis_queueentry_changelist")
    assert "contradict" not in client.get(address).content.decode()
    asked = client.get(address, {"reason": "labels_contradict"}, follow=True)
    assert wording("Labels of its lesion contradict") not in asked.content.decode()


@pytest.mark.usefixtures("network_shown")
def test_lesion_visit_photograph_review_and_signing_warn_alike(photograph, lesion, dermatologist, sign_in):
    older, newer = photograph(), photograph()
    say(older, dermatologist, "other", other_text="A tick")
    say(newer, dermatologist, "mel")
    client = sign_in(dermatologist)
    for address in (
        lesion.get_absolute_url(),
        newer.visit.get_absolute_url(),
        older.visit.get_absolute_url(),
        older.get_absolute_url(),
        reverse("admin:review-photograph", args=[older.pk]),
        reverse("visit-sign", args=[newer.visit_id]),
        reverse("visit-sign", args=[older.visit_id]),
    ):
        page = client.get(address).content.decode()
        assert WARNING in page, address
        assert "A tick" in page, address
    lists = (
        reverse("visits"),
        newer.visit.patient.get_absolute_url(),
        reverse("admin:diagnosis_image_changelist"),
        reverse("admin:diagnosis_queueentry_changelist"),
    )
    for address in lists:
        assert "contradiction" in codes(client.get(address).content.decode()), address


def sign_form(client, visit) -> dict[str, str]:
    page = client.get(reverse("visit-sign", args=[visit.pk]))
    form = page.context["form"]
    return {"plan": "Come back.", "seen": form["seen"].value() or "", "edits": form.made_from, **chosen_steps(page)}


def test_a_contradiction_that_arises_while_it_is_read_is_shown_before_it_is_signed(photograph, dermatologist, sign_in):
    older, newer = photograph(), photograph()
    say(newer, dermatologist, "nv")
    say(older, dermatologist, "nv")
    client, address = sign_in(dermatologist), reverse("visit-sign", args=[newer.visit_id])
    form = sign_form(client, newer.visit)
    say(older, dermatologist, "mel")
    answer = client.post(address, form)
    page = answer.content.decode()
    assert (answer.status_code, Report.objects.count()) == (409, 0)
    assert "contradictions_changed" in codes(page)
    assert "Melanoma, Melanocytic nevus" in page
    assert "Come back." in page
    form = {**form, "seen": answer.context["form"]["seen"].value(), **chosen_steps(answer)}
    assert client.post(address, form).status_code == 302
    assert Report.objects.count() == 1


def test_one_that_is_gone_is_said_too(photograph, dermatologist, sign_in):
    older, newer = photograph(), photograph()
    say(newer, dermatologist, "nv")
    say(older, dermatologist, "mel")
    client, address = sign_in(dermatologist), reverse("visit-sign", args=[newer.visit_id])
    form = sign_form(client, newer.visit)
    say(older, dermatologist, "nv")
    answer = client.post(address, form)
    assert (answer.status_code, Report.objects.count()) == (409, 0)
    assert wording("the labels no longer contradict each other") in answer.content.decode()


def test_one_that_arises_before_the_release_is_shown_before_the_patient_reads(photograph, dermatologist, sign_in):
    older, newer = photograph(), photograph()
    say(newer, dermatologist, "nv")
    say(older, dermatologist, "nv")
    report = signed_report(newer.visit, dermatologist)
    client, address = sign_in(dermatologist), reverse("visit-release", args=[newer.visit_id])
    seen = client.get(newer.visit.get_absolute_url()).context["contradictions_seen"]
    say(older, dermatologist, "df")
    page = client.post(address, {"seen": seen}, follow=True)
    report.refresh_from_db()
    assert report.released_at is None
    assert "contradictions_changed" in codes(page.content.decode())
    client.post(address, {"seen": page.context["contradictions_seen"]})
    report.refresh_from_db()
    assert report.released_at is not None
