"""What the API says of a kept photograph is never calmer than its page: one sign, one set of warnings."""

import html

import pytest
from django.test import Client

from diagnosis.assessment.exclusions import exclude_image
from diagnosis.images.models import Image, Prediction
from diagnosis.reviews.answers import Certainty
from diagnosis.reviews.services import record_review
from tests import factories
from tests.api.helpers import BATCH, PREDICT, assert_problem, refused_photograph, upload
from tests.conftest import PHOTOGRAPHS
from tests.hooks import codes, wording

CALM = "ISIC_0024322.jpg"


@pytest.fixture
def client(api, staff) -> Client:
    return api(staff)


def calm() -> bytes:
    return (PHOTOGRAPHS / CALM).read_bytes()


def similar(image) -> str:
    return f"/api/v1/images/{image.pk}/similar/"


def kept(client, lesion, visit):
    sent = {"file": upload(calm()), "lesion": str(lesion.pk), "visit": str(visit.pk)}
    return client.post(PREDICT, sent).json()


def confirmed(lesion, dermatologist, answer="scc") -> Image:
    image = factories.ImageFactory(lesion=lesion, visit=factories.VisitFactory(patient=lesion.patient))
    factories.PredictionFactory(image=image)
    record_review(image=image, reviewer=dermatologist, answer=answer, certainty=Certainty.CERTAIN)
    return image


def check_against_its_page(answer, sign_in, staff) -> str:
    """The page says all that the answer says; the words of the page are returned."""
    response = sign_in(staff).get(Image.objects.get(pk=answer["image"]["id"]).get_absolute_url())
    page = html.unescape(" ".join(response.content.decode().split()))
    view = response.context["view"]
    assert answer["next_steps"] == list(response.context["next_steps"])
    assert all(step in page for step in answer["next_steps"])
    for warning in answer["warnings"]:
        assert warning["text"] in page
    texts = [each["text"] for each in answer["warnings"]]
    assert texts[len(texts) - len(view.caveats) :] == [each.words for each in view.caveats]
    return page


def test_a_calm_photograph_of_a_confirmed_cancer_that_bleeds_is_urgent_here_too(
    client, sign_in, staff, dermatologist, lesion, visit
):
    sibling = confirmed(lesion, dermatologist)
    type(visit).objects.filter(pk=visit.pk).update(bleeding=True)

    answer = kept(client, lesion, visit)

    assert answer["network_tier"]["code"] == "calm"
    assert answer["tier"] == {"code": "urgent", "text": answer["warnings"][0]["text"]}
    assert answer["warnings"][0]["url"].endswith(sibling.get_absolute_url())
    assert [warning["code"] for warning in answer["warnings"]] == [
        "other_photograph_confirmed",
        "symptoms_of_the_visit",
    ]
    assert "Squamous cell carcinoma" in answer["warnings"][0]["text"]
    assert wording("within two weeks") in answer["next_steps"][0]
    assert answer["explanation"]["urgency"] == wording("Your result says: See a dermatologist within two weeks.")
    care = answer["explanation"]["sections"]["when_to_seek_care"]
    page = check_against_its_page(answer, sign_in, staff)
    assert care in page
    for said in (care, page):
        assert "no appointment" not in said, "nobody is told to go and to stay in one breath"


def test_so_it_is_in_a_batch_and_among_similar_cases(client, sign_in, staff, dermatologist, lesion, visit):
    confirmed(lesion, dermatologist)
    sent = {"files": [upload(calm())], "lesion": str(lesion.pk), "visit": str(visit.pk)}
    answer = client.post(BATCH, sent).json()["results"][0]["result"]
    again = client.get(similar(Image.objects.get(pk=answer["image"]["id"]))).json()
    for said in (answer, again):
        assert said["tier"]["code"] == "urgent"
        check_against_its_page(said, sign_in, staff)
    assert {name: again[name] for name in ("tier", "warnings", "next_steps")} == {
        name: answer[name] for name in ("tier", "warnings", "next_steps")
    }


@pytest.mark.parametrize(
    ("answer", "certainty", "code", "text"),
    [
        ("scc", "certain", "urgent", "Confirmed: Squamous cell carcinoma"),
        ("mel", "unsure", "urgent", "Suspected: Melanoma"),
        ("meltump", "certain", "watch", "Confirmed: "),
        ("nv", "certain", "calm", "Nothing alarming was found"),
    ],
)
def test_a_dermatologists_word_is_in_the_tier(client, dermatologist, lesion, visit, answer, certainty, code, text):
    image = factories.ImageFactory(lesion=lesion, visit=visit)
    factories.PredictionFactory(image=image)
    record_review(image=image, reviewer=dermatologist, answer=answer, certainty=certainty)
    said = client.get(similar(image)).json()
    assert said["tier"]["code"] == code
    assert said["tier"]["text"].startswith(text)
    assert said["network_tier"]["code"] == "calm"
    assert not any("Nothing needs doing" in step for step in said["next_steps"])
    assert ("Their plan counts" in said["next_steps"][0]) == (certainty == "certain" and answer != "meltump")


def test_the_same_file_elsewhere_is_a_warning(client, clinic, lesion, visit):
    twin = factories.LesionFactory(patient__clinic=clinic, number=1)
    elsewhere = kept(client, twin, factories.VisitFactory(patient=twin.patient))
    assert elsewhere["warnings"] == []
    answer = kept(client, lesion, visit)
    (warning,) = answer["warnings"]
    assert warning["code"] == "same_file"
    assert warning["url"].endswith(f"/images/{elsewhere['image']['id']}/")
    assert answer["tier"]["code"] == "urgent"
    (step,) = answer["next_steps"]
    assert wording("find out which of the two is correct, and rely on neither") in step
    page = {"lesion": str(lesion.pk), "file": upload(refused_photograph())}
    assert client.post(PREDICT, page).json()["warnings"] == []


def test_a_photograph_that_cannot_be_judged_carries_what_else_is_known(client, dermatologist, lesion, visit):
    confirmed(lesion, dermatologist)
    sent = {"file": upload(refused_photograph()), "lesion": str(lesion.pk), "visit": str(visit.pk)}
    problem = assert_problem(client.post(PREDICT, sent), 422, "cannot-be-judged")
    assert problem["warnings"][0]["code"] == "other_photograph_confirmed"
    assert "Squamous cell carcinoma" in problem["warnings"][0]["text"]


def test_what_is_not_kept_has_no_warnings(client):
    answer = client.post(PREDICT, {"file": upload(calm())}).json()
    assert (answer["tier"], answer["warnings"]) == (answer["network_tier"], [])
    assert answer["tier"] == {"code": "calm", "text": "Nothing alarming was found"}
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("basis", ["dermatoscopy", "histopathology"])
def test_an_urgent_answer_that_a_harmless_label_has_answered_has_its_pages_colour(
    client, sign_in, staff, dermatologist, lesion, visit, basis
):
    answer = kept(client, lesion, visit)
    image = Image.objects.get(pk=answer["image"]["id"])
    Prediction.objects.filter(image=image).update(tier="urgent")
    record_review(image=image, reviewer=dermatologist, answer="nv", certainty="certain", basis=basis, reason="")

    answer = client.get(similar(image)).json()

    page = check_against_its_page(answer, sign_in, staff)
    assert (answer["tier"]["code"], answer["network_tier"]["code"]) == ("watch", "urgent")
    assert "network_disagrees" in codes(page)
    assert answer["tier"]["text"] in sign_in(staff).get(lesion.get_absolute_url()).content.decode()


def test_what_makes_it_urgent_is_what_the_tier_says(client, sign_in, staff, dermatologist, lesion, visit):
    answer = kept(client, lesion, visit)
    image = Image.objects.get(pk=answer["image"]["id"])
    factories.PredictionFactory(image__lesion=lesion, image__visit=visit, code="mel", tier="urgent")
    record_review(image=image, reviewer=dermatologist, answer="meltump", certainty="certain", reason="")
    answer = client.get(similar(image)).json()
    assert answer["tier"]["code"] == "urgent"
    assert "nothing alarming" not in answer["tier"]["text"].lower()
    assert answer["tier"]["text"] in check_against_its_page(answer, sign_in, staff)


@pytest.mark.parametrize("label", ["nv", ""])
def test_where_labels_contradict_each_other_nobody_is_told_to_wait(
    client, sign_in, staff, dermatologist, lesion, visit, label
):
    image = factories.ImageFactory(lesion=lesion, visit=visit)
    factories.PredictionFactory(image=image)
    if label:
        record_review(image=image, reviewer=dermatologist, answer=label, certainty=Certainty.CERTAIN)
    confirmed(lesion, dermatologist, "df")
    confirmed(lesion, dermatologist, "bkl")

    answer = client.get(similar(image)).json()

    assert answer["tier"]["code"] == "urgent"
    assert answer["warnings"][0]["code"] == "contradiction"
    first, *then = answer["next_steps"]
    assert wording("contradict each other: find out which is correct, and rely on neither") in first
    assert bool(then) == bool(label)
    assert all("Their plan counts" in step for step in then)
    assert "Nothing needs doing" not in check_against_its_page(answer, sign_in, staff)


def test_of_symptoms_the_tier_says_what_they_are(client, lesion, visit):
    type(visit).objects.filter(pk=visit.pk).update(bleeding=True)
    tier = kept(client, lesion, visit)["tier"]
    assert tier["code"] == "watch"
    assert tier["text"].startswith(wording("At this visit the patient reported symptoms of a spot: "))


@pytest.mark.parametrize("label", ["mel", ""])
def test_an_excluded_photograph_has_no_tier_and_says_so_first(
    client, sign_in, staff, dermatologist, lesion, visit, label
):
    type(visit).objects.filter(pk=visit.pk).update(bleeding=True)
    answer = kept(client, lesion, visit)
    image = Image.objects.get(pk=answer["image"]["id"])
    if label:
        record_review(image=image, reviewer=dermatologist, answer=label, certainty=Certainty.CERTAIN)
    exclude_image(image=image, by=dermatologist, reason="other_patient", note="It is of the patient before.")

    answer = client.get(similar(image)).json()

    assert (answer["tier"], answer["next_steps"]) == (None, [])
    first = answer["warnings"][0]
    says_so = "Photograph excluded: It shows another patient"
    does_not_count = "It is not used anywhere: do not rely on"
    assert first["text"].startswith(f"{says_so}. {does_not_count}")
    assert first["url"].endswith(image.get_absolute_url())
    page = " ".join(sign_in(staff).get(image.get_absolute_url()).content.decode().split())
    assert says_so in page
    assert does_not_count in page
    assert wording("What to do next") not in page
