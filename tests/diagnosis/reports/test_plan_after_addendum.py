"""Whether a report's plan still holds after an addendum: the question, and where the answer is shown."""

import datetime
import json

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from diagnosis.assessment.exclusions import exclude_image
from diagnosis.reports.addenda import PlanUnanswered, sign_addendum
from diagnosis.reports.models import Addendum, Report
from diagnosis.reviews.services import record_review
from tests import factories
from tests.diagnosis.reporting import signed_addendum, signed_report
from tests.hooks import codes, error_codes, wording
from tests.page_forms import filled_in, form_with

PLAN = "Lesion 2 on the neck: sample on 2 December."
QUESTION = "Does the plan still hold?"


@pytest.fixture(autouse=True)
def quick_pdf(monkeypatch):
    monkeypatch.setattr("diagnosis.reports.addenda.render_addendum", lambda *args, **kwargs: b"%PDF-1.7")


def named(image, by, answer: str):
    record_review(image=image, reviewer=by, answer=answer, certainty="certain")
    return image


def reported(patient, by, *, plan: str = PLAN) -> Report:
    """The released report of two lesions, of which the second is malignant."""
    visit = factories.VisitFactory(patient=patient, plan=plan)
    for answer in ("nv", "merkel"):
        image = factories.ImageFactory(lesion__patient=patient, visit=visit)
        factories.PredictionFactory(image=image, code="nv", tier="calm")
        named(image, by, answer)
    return signed_report(visit, by, released=True)


@pytest.fixture
def report(patient, dermatologist):
    return reported(patient, dermatologist)


@pytest.fixture
def relabelled(report, dermatologist):
    """The report, of which the first lesion has another harmless label since."""
    named(report.visit.images.earliest("created_at"), dermatologist, "bkl")
    return report


def address(report: Report) -> str:
    return reverse("visit-addendum", args=[report.visit_id])


def sent_by(client, report: Report, **changes: str) -> dict:
    return filled_in(client, address(report), "words", words="Lesion 1 is a keratosis.", **changes)


def text_at(client, url: str) -> str:
    return " ".join(client.get(url).text.split())


def test_the_page_shows_the_plan_and_asks_without_an_answer_of_its_own(sign_in, relabelled, dermatologist):
    page = sign_in(dermatologist).get(address(relabelled)).text
    assert PLAN in page
    assert QUESTION in page
    form = form_with(page, "words")
    assert "replaces_plan" in form.names
    assert "replaces_plan" not in form.data


def test_unanswered_it_is_refused_and_nothing_is_lost(sign_in, relabelled, dermatologist):
    client = sign_in(dermatologist)
    for words in ("Lesion 1 is a keratosis.", " "):
        refused = client.post(address(relabelled), sent_by(client, relabelled) | {"words": words})
        assert refused.status_code == 422
        unanswered = {"replaces_plan": ["required"]}
        assert error_codes(refused) == ({"words": ["required"]} | unanswered if words == " " else unanswered)
        form = form_with(refused.text, "words")
        assert form.data["words"] == [words]
        assert "replaces_plan" not in form.data
    assert not Addendum.objects.exists()
    with pytest.raises(PlanUnanswered):
        sign_addendum(report=relabelled, by=dermatologist, words="Lesion 1 is a keratosis.")


def test_an_answer_is_kept_while_the_words_are_missing(sign_in, relabelled, dermatologist):
    client = sign_in(dermatologist)
    refused = client.post(address(relabelled), sent_by(client, relabelled, replaces_plan="no") | {"words": ""})
    assert refused.status_code == 422
    assert form_with(refused.text, "words").data["replaces_plan"] == ["no"]


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_whoever_reads_the_plan_reads_the_answer(sign_in, relabelled, dermatologist, staff, patient_user, answer):
    client, visit = sign_in(dermatologist), relabelled.visit
    sent = sent_by(client, relabelled, replaces_plan=answer)
    assert client.post(address(relabelled), sent).status_code == 302
    # Sent twice, even without its key, it is signed once; with another answer it is another addendum.
    del sent["idempotency_key"]
    assert client.post(address(relabelled), sent).status_code == 302
    other = client.post(address(relabelled), sent | {"replaces_plan": "no" if answer == "yes" else "yes"})
    assert other.status_code == 422
    assert "visit_changed" in codes(other.text)
    is_replaced = answer == "yes"
    assert json.loads(relabelled.addenda.get().content)["replaces_plan"] is is_replaced

    own = text_at(sign_in(patient_user), reverse("my-visit", args=[visit.pk]))
    assert own.index("Lesion 1 is a keratosis.") < own.index(PLAN)
    assert (f"<s>{PLAN}</s>" in own) is is_replaced
    assert ("replaces_the_plan" in codes(own)) is is_replaced
    assert ("adds_to_the_plan" in codes(own)) is not is_replaced
    assert (wording("Addendum added on ") in own) is not is_replaced
    for url in (visit.get_absolute_url(), visit.images.earliest("created_at").get_absolute_url()):
        shown = text_at(sign_in(staff), url)
        head, plan = shown[: shown.index(PLAN)], shown[shown.index(PLAN) - len("<br> <s>") :]
        assert ("plan_replaced" in codes(head) and plan.startswith(f"<br> <s>{PLAN}</s>")) is is_replaced
        assert ("plan_has_addendum" in codes(head)) is not is_replaced
        assert head.endswith("<br> ") is not is_replaced


def test_what_is_malignant_now_is_read_before_a_plan_that_still_holds(
    sign_in, report, dermatologist, patient_user, staff
):
    image = named(report.visit.images.earliest("created_at"), dermatologist, "mel")
    client = sign_in(dermatologist)
    client.post(address(report), sent_by(client, report, replaces_plan="no") | {"words": "It is a melanoma."})

    own = text_at(sign_in(patient_user), reverse("my-visit", args=[report.visit_id]))
    assert own.index("It is a melanoma.") < own.index("<strong>Melanoma</strong>") < own.index(PLAN)
    assert own.index(wording("what was added above counts.")) < own.index(PLAN)
    assert "<s>Lesion" not in own
    shown = text_at(sign_in(staff), image.get_absolute_url())
    assert shown.index("It is a melanoma.") < shown.index("plan_has_addendum") < shown.index(PLAN)


def test_nothing_is_asked_where_words_alone_are_added_or_there_is_no_plan(sign_in, patient, report, dermatologist):
    client = sign_in(dermatologist)
    assert QUESTION not in client.get(address(report)).text
    assert client.post(address(report), sent_by(client, report)).status_code == 302
    planless = reported(patient, dermatologist, plan="")
    named(planless.visit.images.earliest("created_at"), dermatologist, "bkl")
    assert QUESTION not in client.get(address(planless)).text
    assert client.post(address(planless), sent_by(client, planless)).status_code == 302
    for each in Addendum.objects.all():
        assert "replaces_plan" not in json.loads(each.content)


def test_it_is_asked_of_photographs_set_aside_and_of_other_visits(sign_in, patient, report, dermatologist):
    client = sign_in(dermatologist)
    first = report.visit.images.earliest("created_at")
    exclude_image(image=first, by=dermatologist, reason="unfit")
    assert QUESTION in client.get(address(report)).text
    other = reported(patient, dermatologist)
    lesion = other.visit.images.earliest("created_at").lesion
    later = factories.ImageFactory(lesion=lesion, visit__patient=patient)
    factories.PredictionFactory(image=later, code="mel", tier="urgent")
    named(later, dermatologist, "mel")
    assert QUESTION in client.get(address(other)).text


def test_a_question_that_came_up_meanwhile_is_not_answered_unread(sign_in, report, dermatologist):
    """The page was opened for words alone; then a label changed."""
    client = sign_in(dermatologist)
    sent = sent_by(client, report)
    named(report.visit.images.earliest("created_at"), dermatologist, "mel")
    refused = client.post(address(report), sent)
    assert refused.status_code == 422
    assert "visit_changed" in codes(refused.text)
    assert QUESTION in refused.text
    assert "(optional)" not in refused.text
    assert not Addendum.objects.exists()


def test_what_replaced_the_plan_is_asked_about_next_and_marked_once_replaced(
    sign_in, relabelled, dermatologist, patient_user
):
    signed_addendum(relabelled, dermatologist, words="No control is needed.", replaces_plan=True)
    named(relabelled.visit.images.earliest("created_at"), dermatologist, "mel")
    client, marked = sign_in(dermatologist), "The plan here was replaced on"
    form = client.get(address(relabelled)).text
    assert QUESTION in form
    assert form.index("No control is needed.") < form.index(QUESTION)
    assert PLAN not in form
    sent = sent_by(client, relabelled, replaces_plan="yes") | {"words": "Excision on Monday."}
    assert client.post(address(relabelled), sent).status_code == 302
    for shown in (
        text_at(sign_in(dermatologist), relabelled.visit.get_absolute_url()),
        text_at(sign_in(patient_user), reverse("my-visit", args=[relabelled.visit_id])),
    ):
        assert shown.count(marked) == 1
        assert shown.index("No control is needed.") < shown.index(marked)
        assert f"<s>{PLAN}</s>" in shown


def test_a_plan_that_was_added_to_is_asked_about_again(sign_in, relabelled, dermatologist):
    signed_addendum(relabelled, dermatologist, replaces_plan=False)
    named(relabelled.visit.images.earliest("created_at"), dermatologist, "mel")
    assert QUESTION in sign_in(dermatologist).get(address(relabelled)).text


def test_an_addendum_that_was_never_asked_replaces_the_plan(sign_in, relabelled, dermatologist, patient_user):
    signed_addendum(relabelled, dermatologist)
    own = text_at(sign_in(patient_user), reverse("my-visit", args=[relabelled.visit_id]))
    assert f"<s>{PLAN}</s>" in own
    assert wording("what was planned before") not in own


@pytest.mark.parametrize("replaces", [True, False])
def test_the_visits_page_says_of_which_day_the_plan_is(sign_in, patient, dermatologist, replaces):
    visits = [
        factories.VisitFactory(patient=patient, plan=PLAN, date=date)
        for date in (datetime.date(2026, 6, 1), timezone.localdate())
    ]
    pages = []
    for visit in visits:
        image = factories.ImageFactory(lesion__patient=patient, visit=visit)
        factories.PredictionFactory(image=image, code="nv", tier="calm")
        report = signed_report(visit, dermatologist)
        named(image, dermatologist, "bkl")
        signed_addendum(report, dermatologist, replaces_plan=replaces)
        pages += [
            " ".join(sign_in(dermatologist).get(each.get_absolute_url()).content.decode().split())
            for each in (visit, image)
        ]

    today = date_format(timezone.localdate(), "j M Y")
    assert wording(f"Planned at the visit of 1 Jun 2026, signed {today}.") in pages[0]
    assert f"Planned on {today}." in pages[2]
    assert all("Planned on" not in page for page in pages[:2])
