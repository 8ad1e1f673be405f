"""A photograph taken without a dermatoscope: whether and when to be seen, and no class, percentage or all-clear."""

import json
import re

import pytest
from django.urls import reverse

from diagnosis.images.models import Image, Prediction, Tier
from diagnosis.reports.content import build_content
from diagnosis.reports.services import sign_visit
from diagnosis.reviews.answers import LabelState
from diagnosis.reviews.models import ConfirmedLabel
from diagnosis.reviews.services import record_review
from mlmodel.network.analyser import get_analyser
from mlmodel.network.in_domain import PhotographClassifier
from mlmodel.taxonomy import CONDITIONS
from tests import factories
from tests.diagnosis.photographing import kept, upload_of
from tests.diagnosis.reporting import signed_report

NAMES = [condition.name.replace("'", "&#x27;") for condition in CONDITIONS]


@pytest.fixture
def as_smartphone(monkeypatch):
    """Have the shipped judge take every photograph for a smartphone's."""
    import numpy as np

    analyser = get_analyser()
    sure = PhotographClassifier(np.zeros_like(analyser.smartphone.weights), bias=10.0, threshold=0.5)
    monkeypatch.setattr(analyser, "smartphone", sure)


@pytest.fixture
def visit(patient, staff):
    return factories.VisitFactory.create(patient=patient, clinician=staff, plan="We look at it on Monday.")


@pytest.fixture
def image(visit, staff, photograph, as_smartphone):
    found = kept(visit, factories.LesionFactory.create(patient=visit.patient), staff, photograph)
    assert found.measures["smartphone"] == 1.0
    assert found.predictions.exists()
    return found


def body(response) -> str:
    """The page's main part, with single spaces."""
    page = response.content.decode()
    return re.sub(r"\s+", " ", page[page.index("<main") : page.index("</main>")])


def without_confirmation(page: str) -> str:
    """Without addresses, what a dermatologist may choose from, and what was asked of the patient's own history."""
    page = re.sub(r'\s(href|action|src|hx-[a-z]+)="[^"]*"', "", page)
    page = re.sub(r"previous melanoma|melanoma in the family", "", page, flags=re.I)
    return re.sub(r"<(form|datalist|select)\b.*?</\1>", "", page, flags=re.S)


def assert_names_nothing(page: str) -> None:
    shown = without_confirmation(page)
    assert not [name for name in NAMES if name in shown]
    assert not re.search(r"\d\s*(&nbsp;|\xa0)?%", shown), re.findall(r".{40}\d\s*(?:&nbsp;|\xa0)?%.{10}", shown)
    assert 'class="bar' not in shown
    assert "data-heat-map" not in shown
    assert "tier-calm" not in shown
    assert "badge-calm" not in shown
    assert "<dd>Good</dd>" not in shown
    assert "Good enough" not in shown
    assert str(Tier.CALM.label) not in shown
    assert "Nothing alarming" not in shown


@pytest.mark.parametrize("tier", Tier.values)
def test_the_result_says_only_whether_when_and_how(image, staff, sign_in, tier):
    Prediction.objects.update(tier=tier)
    response = sign_in(staff).get(image.get_absolute_url())
    assert_names_nothing(body(response))
    view = response.context["view"]
    assert view.tier == ("urgent" if tier == "urgent" else "watch")
    assert view.tips
    assert view.tips[0] in body(response)
    assert view.bars == view.candidates == ()


@pytest.mark.parametrize("tier", Tier.values)
def test_the_quick_check_does_the_same(client, photograph, as_smartphone, every_result_is, tier, db):
    every_result_is(tier)
    response = client.post("/quick-check/", {"file": upload_of(photograph)})
    assert response.status_code == 200
    assert_names_nothing(body(response))
    assert response.context["view"].tier == ("urgent" if tier == "urgent" else "watch")


def test_lists_show_no_all_clear(image, staff, dermatologist, sign_in):
    Prediction.objects.update(tier="calm")
    client = sign_in(staff)
    for page in (image.visit, image.lesion, image.visit.patient):
        text = body(client.get(page.get_absolute_url()))
        assert_names_nothing(text)
        assert "Have it looked at" in text
        assert "taken without a dermatoscope" in text
    for name in ("image", "prediction"):
        address = reverse(f"admin:diagnosis_{name}_changelist")
        admin = sign_in(dermatologist)
        listed = admin.get(address).content.decode()
        assert_names_nothing(listed[listed.index('id="result_list"') : listed.index("</table>")])
        # The filter is of what is shown, not of what is stored.
        assert admin.get(f"{address}?tier=watch").context["cl"].result_count == 1
        assert admin.get(f"{address}?tier=calm").context["cl"].result_count == 0


def test_the_upload_answers_a_script_without_an_all_clear(
    visit, staff, sign_in, photograph, as_smartphone, every_result_is
):
    lesion = factories.LesionFactory.create(patient=visit.patient)
    every_result_is("calm")
    response = sign_in(staff).post(
        reverse("upload", args=[visit.pk]),
        {"lesion": str(lesion.pk), "files": upload_of(photograph)},
        headers={"accept": "application/json"},
    )
    assert response.status_code == 200
    assert (response.json()["tier"], response.json()["badge"]) == ("watch", "watch")


@pytest.mark.usefixtures("network_shown")
def test_a_dermatologist_finds_the_order_of_the_classes_folded_in_the_review_screen(image, dermatologist, sign_in):
    Prediction.objects.update(tier="calm")
    page = body(sign_in(dermatologist).get(reverse("admin:review-photograph", args=[image.pk])))
    folded = re.findall(r"<details.*?</details>", page)
    (order,) = [part for part in folded if "Order of the classes" in part]
    assert all(name in order for name in NAMES)
    assert not re.search(r"\d\s*(&nbsp;|\xa0)?%", order)
    network = page[page.index("review-network") :].split("</section>")[0]
    assert_names_nothing(re.sub(r"<details.*?</details>", "", network))


def test_report_and_portal_name_nothing(image, dermatologist, patient_user, sign_in):
    Prediction.objects.update(tier="calm")
    content = build_content(image.visit)
    (photograph,) = content["lesions"][0]["photographs"]
    said = photograph["assessment"]
    assert said["reliability"] == "smartphone_not_reliable"
    assert said["tier"] == "watch"
    assert [said[name] for name in ("code", "name", "probabilities", "confidence", "explained")] == [None] * 5
    assert said["tips"]
    assert content["explanations"] == []
    report = signed_report(image.visit, dermatologist, released=True)
    patient = sign_in(patient_user)
    assert_names_nothing(body(patient.get(reverse("my-visit", args=[image.visit.pk]))))
    assert json.loads(report.content)["lesions"][0]["photographs"][0]["assessment"]["probabilities"] is None
    # No heat map, which would be of a class.
    assert patient.get(reverse("image-file", args=[image.pk, "heat-map"])).status_code == 404


@pytest.mark.slow
def test_the_pdf_names_nothing(image, dermatologist):
    import subprocess

    Prediction.objects.update(tier="calm")
    report = sign_visit(visit=image.visit, by=dermatologist)
    command = ["pdftotext", report.pdf.path, "-"]
    text = " ".join(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert not [condition.name for condition in CONDITIONS if condition.name in text]
    assert str(Tier.CALM.label) not in text
    assert "good enough" not in text.lower()
    assert str(Tier.WATCH.label) in text


@pytest.mark.parametrize("keep", [False, True])
def test_the_api_marks_it_and_states_no_figure_where_one_is_looked_for(
    visit, staff, sign_in, photograph, as_smartphone, keep
):
    lesion = factories.LesionFactory.create(patient=visit.patient)
    place = {"lesion": str(lesion.pk)} if keep else {}
    answer = sign_in(staff).post(reverse("api-predict"), {"file": upload_of(photograph), **place}).json()
    assert answer["reliability"] == "smartphone_not_reliable"
    nothing = ("probabilities", "equal_prior_scores", "malignant_probability", "predicted_code", "predicted_class")
    assert [answer[name] for name in (*nothing, "confidence", "explained", "explanation")] == [None] * 8
    assert answer["candidates"] == answer["prediction_set"] == []
    assert answer["tier"]["code"] in ("watch", "urgent")
    assert answer["not_reliable"]["advice"]
    assert sorted(answer["not_reliable"]["class_order"]) == sorted(condition.code for condition in CONDITIONS)
    assert sorted(answer["not_reliable"]) == ["advice", "class_order", "warning"]


def test_a_confirmed_label_is_shown_and_explained_all_the_same(image, dermatologist, staff, sign_in):
    record_review(image=image, reviewer=dermatologist, answer="mel", certainty="certain", reason="")
    assert ConfirmedLabel.objects.get(image=image).state == LabelState.SETTLED
    page = sign_in(staff).get(image.get_absolute_url())
    assert page.context["explained"].code == "mel"


def test_the_stored_answer_is_left_as_the_network_gave_it(image):
    Prediction.objects.update(tier="calm")
    prediction = Image.objects.get(pk=image.pk).predictions.get()
    assert (prediction.tier, prediction.shown_tier) == ("calm", "watch")
