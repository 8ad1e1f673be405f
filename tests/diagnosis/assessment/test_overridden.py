"""A refused photograph that a dermatologist had analysed anyway: no number holds, and it is never calm anywhere."""

import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from diagnosis.api.results import Reader, answer_for_image
from diagnosis.images.condition_names import condition_name
from diagnosis.images.models import Image, Prediction, QualityOverride
from diagnosis.monitoring.activity import days_of
from diagnosis.monitoring.label_agreement import cells_of
from diagnosis.reports.content import build_content
from diagnosis.reports.report_view import present
from diagnosis.reviews.services import record_review
from mlmodel.network.tiers import class_order
from mlmodel.taxonomy import BY_CODE
from patients.models import Visit
from tests.diagnosis.photographing import blurred, kept, predict, sample
from tests.diagnosis.reporting import signed_report
from tests.factories import ImageFactory, LesionFactory, ModelVersionFactory, PredictionFactory, VisitFactory
from tests.hooks import codes

pytestmark = pytest.mark.django_db
# A percentage, and the sentences that say one in words; not the widths of a style.
NUMBERS = re.compile(r"\d\s*%|of 100|<progress|90 %")


@pytest.fixture
def overridden(patient, staff, dermatologist, sign_in) -> Image:
    """Refused as blurred, analysed on a dermatologist's word, and calm by the network."""
    visit = VisitFactory(patient=patient)
    image = kept(visit, LesionFactory(patient=patient), staff, blurred(sample(0)))
    assert image.verdict == "blurred"
    sign_in(dermatologist).post(reverse("image-override", args=[image.pk]), {"reason": "The only one there is."})
    assert QualityOverride.objects.filter(image=image).exists()
    predict(image, code="nv", tier="calm")
    return image


@pytest.fixture
def client(sign_in, dermatologist) -> Client:
    return sign_in(dermatologist)


def result_of(page: str) -> str:
    """The part of a page that says what the network says."""
    return page[page.index('class="tier') : page.index("photo-column")]


def test_the_page_shows_the_order_and_no_number(overridden, client):
    page = client.get(overridden.get_absolute_url())
    view, text = page.context["view"], page.content.decode()
    assert (view.tier, view.tone, view.is_reliable) == ("watch", "watch", False)
    assert view.caveats
    assert (len(view.class_order), view.bars, view.meaning, view.caution) == (7, (), "", "")
    assert "tier-calm" not in text
    assert not NUMBERS.search(result_of(text))
    assert Prediction.objects.get().tier == "calm", "what the network said stays what it was"


def test_an_urgent_answer_stays_urgent(overridden, client):
    predict(overridden, code="mel", tier="urgent")
    assert client.get(overridden.get_absolute_url()).context["view"].tone == "urgent"


@pytest.mark.slow
@pytest.mark.usefixtures("network_shown")
def test_every_list_says_that_it_could_not_be_judged(overridden, client):
    addresses = [
        reverse("visits"),
        overridden.visit.get_absolute_url(),
        overridden.lesion.get_absolute_url(),
        overridden.visit.patient.get_absolute_url(),
        reverse("admin:diagnosis_image_changelist"),
        reverse("admin:diagnosis_queueentry_changelist"),
        reverse("admin:diagnosis_prediction_changelist"),
        reverse("admin:diagnosis_prediction_change", args=[Prediction.objects.get().pk]),
        reverse("admin:diagnosis_image_change", args=[overridden.pk]),
        reverse("admin:review-photograph", args=[overridden.pk]),
        reverse("visit-sign", args=[overridden.visit_id]),
    ]
    for address in addresses:
        text = client.get(address).content.decode().replace('badge-calm">Not waiting', "")
        text = re.sub(r"<select\b.*?</select>", "", text, flags=re.S).replace("is not calm", "")
        assert "calm" not in re.sub(r"tier=calm|admin-tier-calm *\{", "", text), address
        shown = text[text.index("<main") :] if "<main" in text else text
        # The page for signing names what was measured on the photograph, in per cent of its area.
        assert not re.search("\\d\u00a0%", shown) or address == addresses[-1], address
    for address in (*addresses[:6], addresses[-1]):
        assert "failed_quality_check" in codes(client.get(address).content.decode()), address


def test_filters_put_it_under_watch(overridden, client):
    for name in ("admin:diagnosis_image_changelist", "admin:diagnosis_prediction_changelist"):
        found = {tier: len(client.get(reverse(name), {"tier": tier}).context["cl"].result_list) for tier in TIERS}
        assert found == {"urgent": 0, "watch": 1, "calm": 0}, name


TIERS = ("urgent", "watch", "calm")


@pytest.mark.slow
def test_report_portal_and_json_hold_no_number(overridden, client, dermatologist, sign_in, patient_user):
    draft = client.post(reverse("visit-preview", args=[overridden.visit_id]), {"plan": "Again tomorrow."})
    assert draft["Content-Type"] == "application/pdf"
    report = signed_report(Visit.objects.get(), dermatologist, released=True)
    said = json.loads(report.content)["lesions"][0]["photographs"][0]["assessment"]
    assert (said["reliability"], said["tier"], said["explained"]) == ("could_not_be_judged", "watch", None)
    assert [said[name] for name in ("confidence", "probabilities", "malignant_probability")] == [None] * 3
    assert (said["meaning"], said["cost"], said["set_words"], said["prediction_set"]) == ("", "", "", [])
    assert said["doubts"]
    page = sign_in(patient_user).get(reverse("my-visit", args=[overridden.visit_id])).content.decode()
    assert "tier-watch" in page
    assert "tier-calm" not in page
    assert not NUMBERS.search(page[page.index('<h2 id="lesion-') : page.index('id="told"')])


def test_an_earlier_report_is_read_without_the_numbers_it_still_holds(overridden, dermatologist):
    content = json.loads(signed_report(Visit.objects.get(), dermatologist).content)
    (photograph,) = content["lesions"][0]["photographs"]
    for name in ("reliability", "heading", "tone"):
        del photograph["assessment"][name]
    shares = Prediction.objects.get().probabilities
    photograph["assessment"] |= {"tier": "calm", "probabilities": shares, "doubts": [], "meaning": "Of 100 …"}
    said = present(content)["lesions"][0]["photographs"][0]["assessment"]
    assert (said["tone"], said["bars"], said["meaning"]) == ("watch", [], "")
    assert said["doubts"]


def test_the_api_answers_that_it_could_not_be_judged(overridden):
    answer = answer_for_image(Image.objects.get(), reader=Reader("en", "patient"))
    assert (answer["reliability"], answer["tier"]["code"]) == ("could_not_be_judged", "watch")
    figures = ("predicted_code", "confidence", "probabilities", "equal_prior_scores", "malignant_probability")
    assert [answer[name] for name in figures] == [None] * len(figures)
    assert answer["not_reliable"]["class_order"][0] == "nv"
    assert sorted(answer["not_reliable"]) == ["advice", "class_order", "warning"]


def numbers_in(value: object) -> list[float]:
    """Every figure inside a JSON value, those in words too."""
    if isinstance(value, dict):
        return [number for each in value.values() for number in numbers_in(each)]
    if isinstance(value, list):
        return [number for each in value for number in numbers_in(each)]
    if isinstance(value, str):
        return [float(found) for found in re.findall(r"(\d+)\s*%", value)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def test_page_api_and_report_give_the_same_order_and_no_figure(overridden, client):
    order = class_order(Prediction.objects.get().probabilities)
    names = tuple(condition_name(BY_CODE[code]) for code in order)
    answer = answer_for_image(Image.objects.get(), reader=Reader("en", "patient"))
    (photograph,) = build_content(Visit.objects.get())["lesions"][0]["photographs"]

    assert client.get(overridden.get_absolute_url()).context["view"].class_order == names
    assert answer["not_reliable"]["class_order"] == photograph["assessment"]["class_order"] == order
    about_the_answer = {name: answer[name] for name in answer if name not in ("quality", "measurements", "image")}
    assert numbers_in(about_the_answer) == numbers_in(photograph["assessment"]) == []


def test_monitoring_counts_it_as_watch_and_learns_nothing_from_its_numbers(overridden, dermatologist, clinic):
    assert [(day.watch, day.calm) for day in days_of(clinic, days=1)] == [(1, 0)]
    record_review(image=overridden, reviewer=dermatologist, answer="nv", certainty="certain")
    assert cells_of(clinic, days=7) == []


def test_what_a_later_network_says_of_it_is_no_more_shown_than_the_first(overridden):
    PredictionFactory(image=overridden, model_version=ModelVersionFactory(name="later"))
    PredictionFactory(image=ImageFactory(), model_version=ModelVersionFactory())
    tiers = {row.image_id == overridden.pk: row.shown_tier for row in Prediction.objects.shown()}
    assert tiers == {True: "watch", False: "calm"}
