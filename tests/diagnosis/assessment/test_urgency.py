"""How soon to be seen: what the report, the patient's page and the PDF say where tier, label and library differ."""

import datetime
import json
import subprocess

import pytest
from django.urls import reverse

from diagnosis.images.models import Image, QualityOverride, Tier
from diagnosis.reports.content import build_content
from diagnosis.reports.services import sign_visit
from diagnosis.reviews.answers import Certainty
from diagnosis.reviews.services import record_review
from tests import factories
from tests.diagnosis.photographing import kept, predict, sample
from tests.diagnosis.reporting import signed_report
from tests.hooks import wording

NO_HURRY = "No appointment is needed while it stays the same."
LABELLED = "Your dermatologist has looked at it"
GENERAL = "What follows is true of the condition in general."


@pytest.fixture
def visit(patient):
    return factories.VisitFactory.create(patient=patient, plan="We take it out on Monday.")


def photograph(visit, number, *, code, tier) -> Image:
    """A photograph of a lesion of its own: Lesion 1, Lesion 2 and so on."""
    lesion = factories.LesionFactory.create(patient=visit.patient, number=number)
    image = kept(visit, lesion, visit.clinician, sample(number))
    predict(image, code=code, tier=tier)
    return image


def label(image, dermatologist, code, certainty=Certainty.CERTAIN):
    record_review(image=image, reviewer=dermatologist, answer=code, certainty=certainty, reason="")


def said(visit) -> tuple[str, str]:
    (explanation,) = build_content(visit)["explanations"]
    return explanation["urgency"], explanation["urgency_from"]


@pytest.mark.parametrize(
    ("code", "tier", "words", "speaker"),
    [
        ("nv", "urgent", "The result of Lesion 1 says: See a dermatologist within two weeks.", "result"),
        ("bcc", "urgent", "The result of Lesion 1 says: See a dermatologist within two weeks.", "result"),
        ("nv", "watch", "See a doctor within four weeks", "condition"),
        ("mel", "watch", "See a dermatologist within two weeks.", "condition"),
        ("nv", "calm", NO_HURRY, "condition"),
    ],
)
def test_a_report_never_asks_for_less_haste_than_the_tier(visit, code, tier, words, speaker):
    photograph(visit, 1, code=code, tier=tier)
    urgency, of_whom = said(visit)
    assert urgency.startswith(words)
    assert of_whom == speaker


@pytest.mark.parametrize(
    ("tier", "basis", "is_told_to_stay"),
    [
        ("urgent", "dermatoscopy", False),
        ("watch", "dermatoscopy", False),
        ("calm", "dermatoscopy", True),
        ("urgent", "histopathology", True),
    ],
)
def test_a_harmless_label_against_an_urgent_answer_tells_nobody_to_stay_at_home(
    visit, dermatologist, tier, basis, is_told_to_stay
):
    image = photograph(visit, 1, code="mel" if tier == "urgent" else "nv", tier=tier)
    record_review(image=image, reviewer=dermatologist, answer="nv", certainty="certain", basis=basis, reason="")
    (explanation,) = build_content(visit)["explanations"]
    assert (wording("You need no appointment") in explanation["sections"]["when_to_seek_care"]) is is_told_to_stay
    assert (
        wording("advised having this spot looked at") in explanation["sections"]["when_to_seek_care"]
    ) is not is_told_to_stay


@pytest.mark.parametrize(
    "facts",
    [
        {"code": "mel", "tier": "urgent"},
        {"code": "nv", "tier": "watch"},
        {"code": "nv", "tier": "calm", "bleeding": True},
        {"code": "mel", "tier": "urgent", "measures": {"smartphone": 1.0}},
        {"code": "nv", "tier": "calm", "overridden": True},
    ],
)
def test_a_nevus_of_an_earlier_visit_keeps_nobody_at_home(visit, dermatologist, facts):
    before = factories.ImageFactory(lesion__patient=visit.patient, visit__date=datetime.date(2026, 3, 1))
    record_review(image=before, reviewer=dermatologist, answer="nv", certainty="certain", reason="")
    type(visit).objects.filter(pk=visit.pk).update(bleeding=facts.get("bleeding", False))
    visit.refresh_from_db()
    is_overridden = facts.get("overridden", False)
    verdict, measures = "blurred" if is_overridden else "accepted", facts.get("measures", {})
    image = factories.ImageFactory(lesion=before.lesion, visit=visit, verdict=verdict, measures=measures)
    if is_overridden:
        QualityOverride.objects.create(image=image, member=dermatologist, reason="The spot can be seen.")
    factories.PredictionFactory(image=image, code=facts["code"], tier=facts["tier"])
    explanations = {each["code"]: each for each in build_content(visit)["explanations"]}
    nevus = explanations["nv"]
    assert wording("You need no appointment") not in nevus["sections"]["when_to_seek_care"]
    assert nevus["urgency_from"] == "result"
    assert not nevus["is_confirmed"]


def test_the_hastiest_of_several_results_speaks_and_names_its_lesions(visit):
    for number, tier in enumerate(("calm", "urgent", "watch", "urgent"), start=1):
        photograph(visit, number, code="nv", tier=tier)
    urgent, calm = build_content(visit)["explanations"]
    assert (urgent["code"], calm["code"]) == ("akiec", "nv")
    assert urgent["urgency"] == wording("The result of Lesion 2, Lesion 4 says: See a dermatologist within two weeks.")
    assert calm["urgency"].startswith(NO_HURRY)


def test_a_calm_photograph_of_an_urgent_lesion_does_not_bring_an_all_clear_into_the_report(visit):
    urgent = photograph(visit, 1, code="nv", tier="urgent")
    calm = kept(visit, urgent.lesion, visit.clinician, sample(2))
    predict(calm, code="nv", tier="calm")
    explanations = {each["code"]: each for each in build_content(visit)["explanations"]}
    assert set(explanations) == {"akiec", "nv"}
    assert {each["urgency_from"] for each in explanations.values()} == {"result"}
    assert NO_HURRY not in json.dumps(list(explanations.values()))


def test_a_symptom_that_asks_for_a_look_is_not_answered_with_an_all_clear(visit):
    visit.bleeding = True
    visit.save(update_fields=["bleeding"])
    photograph(visit, 1, code="nv", tier="calm")
    assert said(visit) == (wording("The result of Lesion 1 says: Have a dermatologist look at it."), "result")


@pytest.mark.parametrize(("code", "certainty"), [("nv", "certain"), ("nv", "probable"), ("mel", "certain")])
@pytest.mark.parametrize("tier", Tier.values)
def test_a_dermatologists_label_points_to_the_plan_whatever_the_software_said(
    visit, dermatologist, code, certainty, tier
):
    label(photograph(visit, 1, code="bkl", tier=tier), dermatologist, code, certainty)
    (explanation,) = build_content(visit)["explanations"]
    assert explanation["code"] == code
    assert explanation["urgency"].startswith(LABELLED)
    assert explanation["urgency_from"] == "dermatologist"


def test_an_unsure_review_leaves_the_tier_its_word(visit, dermatologist):
    label(photograph(visit, 1, code="nv", tier="urgent"), dermatologist, "nv", Certainty.UNSURE)
    assert said(visit)[1] == "result"


def test_a_label_for_one_lesion_does_not_calm_the_result_of_another(visit, dermatologist):
    label(photograph(visit, 1, code="nv", tier="urgent"), dermatologist, "nv")
    photograph(visit, 2, code="nv", tier="watch")
    watched, labelled = build_content(visit)["explanations"]
    assert (watched["code"], watched["urgency_from"]) == ("akiec", "condition")
    assert (labelled["code"], labelled["urgency_from"]) == ("nv", "dermatologist")


@pytest.mark.parametrize(("code", "speaker"), [("nv", "dermatologist"), ("mel", "condition")])
def test_beside_a_label_a_calm_result_brings_back_haste_only(visit, dermatologist, code, speaker):
    """The plan may ask for more than “no appointment”; “within two weeks” may ask for more than another's plan."""
    label(photograph(visit, 1, code=code, tier="urgent"), dermatologist, code)
    photograph(visit, 2, code=code, tier="calm")
    assert said(visit)[1] == speaker


@pytest.mark.parametrize("is_labelled", [False, True])
def test_the_patients_page_and_the_json_say_the_same(visit, dermatologist, patient_user, sign_in, is_labelled):
    image = photograph(visit, 1, code="nv", tier="urgent")
    if is_labelled:
        label(image, dermatologist, "nv")
    report = signed_report(visit, dermatologist, released=True)
    client = sign_in(patient_user)

    page = client.get(reverse("my-visit", args=[visit.pk])).content.decode()
    data = json.loads(client.get(reverse("report-json", args=[report.pk])).getvalue())

    expected = LABELLED if is_labelled else "The result of Lesion 1 says: See a dermatologist within two weeks."
    assert expected in page
    assert GENERAL in page
    assert NO_HURRY not in page
    assert data["explanations"][0]["urgency"].startswith(expected)
    assert NO_HURRY not in json.dumps(data)


def test_where_the_library_speaks_the_patients_page_shows_its_line_alone(visit, dermatologist, patient_user, sign_in):
    photograph(visit, 1, code="nv", tier="calm")
    signed_report(visit, dermatologist, released=True)
    page = sign_in(patient_user).get(reverse("my-visit", args=[visit.pk])).content.decode()
    assert NO_HURRY in page
    assert GENERAL not in page


@pytest.mark.slow
def test_the_pdf_says_it_too(visit, dermatologist):
    photograph(visit, 1, code="nv", tier="urgent")
    label(photograph(visit, 2, code="nv", tier="urgent"), dermatologist, "vasc")
    report = sign_visit(visit=visit, by=dermatologist)
    command = ["pdftotext", report.pdf.path, "-"]
    text = " ".join(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert "The result of Lesion 1 says: See a dermatologist within two weeks." in text
    assert LABELLED in text
    assert text.count(GENERAL) == 2
    assert NO_HURRY not in text
    assert wording("There is no hurry while it stays the same.") not in text
    unread, named = (lesion["photographs"][0]["assessment"] for lesion in json.loads(report.content)["lesions"])
    assert unread["next_steps"]
    assert all(step in text for step in unread["next_steps"])
    assert text.count(wording("What to do next, according to the software;")) == 1, "a label says what to do itself"
    assert named["next_steps"]
