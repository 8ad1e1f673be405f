"""A diagnosis outside the seven, through the doors where it is given and the pages where it is read."""

import json

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from diagnosis.reports.addendum_content import present_addendum, with_later_labels
from diagnosis.reports.content import build_content
from diagnosis.reports.report_view import present
from diagnosis.reviews.answers import LabelState, Why
from diagnosis.reviews.models import ConfirmedLabel, LabelChange, Reason, Review
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.reviews.services import record_review
from patients.models import ReviewRule, Role
from tests import factories
from tests.diagnosis.reporting import signed_addendum, signed_report

NEXT = "/admin/review/"


@pytest.fixture(autouse=True)
def _nobody_is_drawn(settings):
    settings.REVIEW_RANDOM_SHARE = 0


@pytest.fixture
def calm(patient):
    return judged(patient, code="nv", tier="calm")


@pytest.fixture
def staff_client(sign_in, staff):
    return sign_in(staff)


def judged(patient, *, code, tier, **facts):
    image = factories.ImageFactory(lesion__patient=patient, **facts)
    factories.PredictionFactory(image=image, code=code, tier=tier)
    refresh_queue_entry(image=image)
    return image


def say(reader, image, answer, **facts):
    return record_review(image=image, reviewer=reader, answer=answer, certainty="certain", **facts)


def send(client, image, answer, **facts):
    url = reverse("admin:review-photograph", args=[image.pk])
    return client.post(url, {"answer": answer, "certainty": "certain", **facts})


# --- Said ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("network_shown")
def test_a_name_that_is_typed_on_the_review_screen_is_the_diagnosis(sign_in, dermatologist, calm):
    assert send(sign_in(dermatologist), calm, "other", other_text="squamous-cell CARCINOMA ").url == NEXT
    assert Review.objects.values_list("answer", "other_text").get() == ("scc", "")
    assert ConfirmedLabel.objects.get().answer == "scc"


@pytest.mark.parametrize(
    ("danger", "stored"),
    [("not_known", "other"), ("other_malignant", "other_malignant"), ("other_benign", "other_benign")],
)
def test_own_words_are_kept_with_what_the_reader_says_of_their_danger(sign_in, dermatologist, calm, danger, stored):
    send(sign_in(dermatologist), calm, "other", other_text="Clear cell acanthoma", danger=danger)
    assert Review.objects.values_list("answer", "other_text").get() == (stored, "Clear cell acanthoma")


@pytest.mark.parametrize(
    ("text", "danger"),
    [("Merkel cell carcinoma", "other_benign"), ("Psoriasis", "other_malignant"), ("MELTUMP", "other_benign")],
)
def test_words_that_contradict_themselves_are_sent_back(sign_in, dermatologist, calm, text, danger):
    page = send(sign_in(dermatologist), calm, "other", other_text=text, danger=danger)
    assert page.status_code == 422
    assert page.context["form"].errors.keys() == {"other_text"}
    assert not Review.objects.exists()


@pytest.mark.usefixtures("network_shown")
def test_a_misspelt_name_is_asked_about_once_and_kept_when_it_is_meant(sign_in, dermatologist, calm):
    client, text = sign_in(dermatologist), "Kaposis sarkoma"
    page = send(client, calm, "other", other_text=text)
    assert page.status_code == 422
    assert "Kaposi sarcoma" in str(page.context["form"].errors)
    assert page.context["form"]["as_typed"].value() == text
    assert 'name="answer" value="kaposi"' in " ".join(page.content.decode().split())
    assert send(client, calm, "other", other_text=text, as_typed=text, danger="not_known").url == NEXT
    assert Review.objects.get().other_text == text


def test_the_dangerous_one_counts_where_a_program_contradicts_itself(dermatologist, calm):
    assert say(dermatologist, calm, "other_benign", other_text="Merkel cell carcinoma").answer == "merkel"
    review = say(dermatologist, calm, "other_malignant", other_text="Wart")
    assert (review.answer, review.other_text) == ("other_malignant", "Wart")


def test_every_answer_can_be_chosen_on_the_photographs_page(sign_in, dermatologist, calm):
    client = sign_in(dermatologist)
    page = client.get(calm.get_absolute_url()).content.decode()
    assert 'value="merkel"' in page
    assert "<optgroup" in page
    sent = {"answer": "merkel", "certainty": "certain"}
    assert client.post(reverse("image-review", args=[calm.pk]), sent).status_code == 302
    assert ConfirmedLabel.objects.get().answer == "merkel"


def test_the_admin_takes_them_too(sign_in, dermatologist, calm):
    client, url = sign_in(dermatologist), reverse("admin:diagnosis_image_change", args=[calm.pk])
    page = client.get(url).content.decode()
    assert 'list="id_reviews-0-other_text_list"' in page
    assert 'value="other_malignant"' in page
    row = {"answer": "other", "other_text": "Lentigo maligna"} | {
        "certainty": "certain",
        "basis": "histopathology",
        "reason": "",
    }
    form = {"reviews-TOTAL_FORMS": 1, "reviews-INITIAL_FORMS": 0, "predictions-TOTAL_FORMS": 0,
            "predictions-INITIAL_FORMS": 0}  # fmt: skip
    sent = {**form, **{f"reviews-0-{name}": value for name, value in row.items()}}
    assert client.post(url, sent).status_code == 302
    assert Review.objects.get().answer == "lentigo_maligna"


# --- Settled ---------------------------------------------------------------------------------------------------


def test_two_blinded_readers_agree_on_a_diagnosis_and_not_on_something_else(clinic, dermatologist, calm):
    colleague = factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)
    clinic.review_rule = ReviewRule.TWO_BLINDED_READERS
    clinic.save()
    say(dermatologist, calm, "other", other_text="Clear cell acanthoma", was_blinded=True)
    say(colleague, calm, "other", other_text="Epidermal nevus", was_blinded=True)
    assert ConfirmedLabel.objects.get().state == LabelState.DISPUTED
    say(colleague, calm, "other", other_text="clear  cell Acanthoma", was_blinded=True)
    assert ConfirmedLabel.objects.values_list("state", "why").get() == (LabelState.SETTLED, Why.READERS_AGREE)
    for reader in (dermatologist, colleague):
        say(reader, calm, "scc", was_blinded=True)
    assert ConfirmedLabel.objects.values_list("state", "answer").get() == (LabelState.SETTLED, "scc")


def test_network_and_reader_disagree_only_about_danger(clinic, dermatologist, patient, calm):
    factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)
    say(dermatologist, calm, "psoriasis")
    calm.queue_entry.refresh_from_db()
    assert calm.queue_entry.reasons == []
    say(dermatologist, calm, "scc")
    calm.queue_entry.refresh_from_db()
    assert calm.queue_entry.reasons == [Reason.NETWORK_DISAGREES]


def test_readers_who_differ_outside_the_seven_are_for_a_third(clinic, dermatologist, calm):
    colleague, _third = factories.MemberFactory.create_batch(2, clinic=clinic, role=Role.DERMATOLOGIST)
    say(dermatologist, calm, "psoriasis")
    say(colleague, calm, "tinea")
    calm.queue_entry.refresh_from_db()
    assert calm.queue_entry.reasons == [Reason.READERS_DISAGREE]


# --- Shown -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "text", "tone"),
    [
        ("scc", "", "urgent"),
        ("other_malignant", "Eccrine something", "urgent"),
        ("spitz_atypical", "", "watch"),
        ("other", "Clear cell acanthoma", "watch"),
        ("other_benign", "Clear cell acanthoma", "refused"),
        ("psoriasis", "", "calm"),
        ("not_a_lesion", "", "refused"),
    ],
)
def test_a_label_has_the_colour_of_its_danger(staff_client, dermatologist, calm, answer, text, tone):
    say(dermatologist, calm, answer, other_text=text)
    page = staff_client.get(calm.get_absolute_url())
    assert page.context["settled"].tone == tone
    badge = f"badge badge-{tone if tone in ('urgent', 'watch') else 'accent'}"
    assert badge in page.content.decode()
    (photograph,) = present(build_content(calm.visit))["lesions"][0]["photographs"]
    assert photograph["confirmed"]["tone"] == tone


def test_the_page_explains_the_label_and_not_what_the_network_took_it_for(staff_client, dermatologist, calm):
    say(dermatologist, calm, "merkel")
    page = staff_client.get(calm.get_absolute_url())
    assert page.context["settled"].line in page.content.decode()
    assert "C44.9" in page.content.decode()
    assert 'id="about"' not in page.content.decode()
    say(dermatologist, calm, "lentigo_maligna")
    page = staff_client.get(calm.get_absolute_url())
    assert page.context["explained"].code == "mel"


@pytest.mark.parametrize(("answer", "tone"), [("scc", "urgent"), ("other", "watch"), ("psoriasis", "calm")])
def test_what_another_photograph_is_confirmed_as_asks_for_haste(
    staff_client, dermatologist, patient, calm, answer, tone
):
    other = judged(patient, code="nv", tier="calm", lesion=calm.lesion)
    say(dermatologist, other, answer, other_text="Clear cell acanthoma" if answer == "other" else "")
    view = staff_client.get(calm.get_absolute_url()).context["view"]
    assert bool(view.caveats) == (tone != "calm")
    assert view.tone == tone
    assert ("within two weeks" in view.next_steps[0]) == (tone == "urgent")


@pytest.mark.parametrize(("answer", "first"), [("merkel", "within two weeks"), ("meltump", "next ordinary")])
def test_a_suspicion_that_is_not_settled_is_said_on_page_and_in_report(
    staff_client, dermatologist, calm, answer, first
):
    record_review(image=calm, reviewer=dermatologist, answer=answer, certainty="unsure")
    view = staff_client.get(calm.get_absolute_url()).context["view"]
    assert len(view.caveats) == 1
    assert first in view.next_steps[0]
    assessment = build_content(calm.visit)["lesions"][0]["photographs"][0]["assessment"]
    assert len(assessment["doubts"]) == 1
    assert assessment["next_steps"] == list(view.next_steps)


def test_a_report_says_code_name_malignancy_and_a_line(dermatologist, calm):
    say(dermatologist, calm, "scc")
    content = build_content(calm.visit)
    confirmed = content["lesions"][0]["photographs"][0]["confirmed"]
    assert {name: confirmed[name] for name in ("code", "name", "malignancy", "icd10", "snomed_ct")} == {
        "code": "scc", "name": "Squamous cell carcinoma", "malignancy": "malignant", "icd10": "C44.9",
        "snomed_ct": "254651007",
    }  # fmt: skip
    assert confirmed["line"]
    (explanation,) = content["explanations"]
    assert (explanation["code"], explanation["sections"]["what_it_is"]) == ("scc", confirmed["line"])
    say(dermatologist, calm, "lentigo_maligna")
    (explanation,) = build_content(calm.visit)["explanations"]
    assert (explanation["code"], explanation["is_confirmed"]) == ("mel", True)


def test_a_patient_reads_it_in_the_report_and_in_an_addendum(client, dermatologist, patient, calm):
    patient.user = factories.UserFactory()
    patient.save()
    say(dermatologist, calm, "wart")
    report = signed_report(calm.visit, dermatologist, released=True)
    client.force_login(patient.user)
    url = reverse("my-visit", args=[calm.visit_id])
    page = client.get(url).content.decode()
    assert "Viral wart" in page
    assert "B07" in page
    assert "tier tier-calm" in page
    say(dermatologist, calm, "merkel")
    addendum = signed_addendum(report, dermatologist)
    now = json.loads(addendum.content)["labels"][0]["now"]
    assert (now["code"], now["malignancy"], now["icd10"]) == ("merkel", "malignant", "C44.9")
    assert "tier tier-urgent" in client.get(url).content.decode()


def test_a_report_and_an_addendum_of_before_are_still_read(dermatologist, calm):
    say(dermatologist, calm, "nv")
    report = signed_report(calm.visit, dermatologist)
    content = json.loads(report.content)
    del content["lesions"][0]["photographs"][0]["confirmed"]["line"]
    assert present(content)["lesions"][0]["photographs"][0]["confirmed"]["line"] == ""
    say(dermatologist, calm, "mel")
    addendum = json.loads(signed_addendum(report, dermatologist).content)
    now = addendum["labels"][0]["now"]
    addendum["labels"][0]["now"] = {name: now[name] for name in ("code", "name")}
    (later,) = with_later_labels(content, [present_addendum(addendum)])["lesions"][0]["photographs"]
    assert (later["later"]["tone"], later["later"]["malignancy"]) == ("urgent", "")


# --- The database ----------------------------------------------------------------------------------------------


def test_what_was_said_stays_append_only_after_the_tables_were_made_anew(dermatologist, calm):
    say(dermatologist, calm, "scc")
    with pytest.raises(IntegrityError, match="review_is_append_only"), transaction.atomic():
        Review.objects.update(answer="nv")
    with pytest.raises(IntegrityError, match="labelchange_is_append_only"), transaction.atomic():
        LabelChange.objects.update(after_answer="nv")


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"answer": "scc", "other_text": "words"}, "review_says_what_else_it_is"),
        ({"answer": "other_malignant"}, "review_says_what_else_it_is"),
        ({"answer": "squamous"}, "review_answer_is_known"),
    ],
)
def test_the_database_knows_the_answers(dermatologist, calm, values, name):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Review.objects.create(image=calm, reviewer=dermatologist, certainty="certain", **values)
