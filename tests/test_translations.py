"""What ``mlmodel`` says to people is marked for translation, and the site shows it in the reader's language."""

import html

import pytest
from django.urls import reverse

from mlmodel.pictures.picture import decode
from mlmodel.pictures.picture_errors import BY_CODE, PictureError
from mlmodel.retraining.reason_texts import OF_A_CLASS, TEXTS, reason_text
from mlmodel.taxonomy import CODES, CONDITIONS
from mlmodel.texts import Text
from mlmodel.versions.models import ModelVersion
from tests import factories
from tests.api.helpers import PREDICT, sample
from tests.candidates import candidate
from tests.catalogues import write_catalogue
from tests.diagnosis.photographing import blurred, upload_of
from tests.places import ROOT
from tests.test_one_answer import FILES
from tests.test_stated_limits import translated_in

MARKED = {text for path in (ROOT / "mlmodel").rglob("*.py") for text in translated_in(path)}
FIGURES = {
    "active": 0.9, "candidate": 0.84, "change": -0.06, "low": -0.1, "high": -0.02, "limit": -0.01, "floor": 0.45,
    "lesions": 171, "classes": 1, "needed": 2, "least": 5,
}  # fmt: skip
GATE_CODES = [*(code for code in TEXTS if code != OF_A_CLASS), *(OF_A_CLASS + code for code in CODES)]
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de"}


def pseudo(text: str) -> str:
    """Return the translation of a text in the test's catalogue."""
    return f"«{text}»"


@pytest.fixture
def catalogue(settings, tmp_path):
    """Make the site available in German, with a catalogue of all that ``mlmodel`` marks."""
    refusal = {"The photograph is blurred": "Unscharf"}
    write_catalogue(tmp_path, "de", {text: pseudo(text) for text in MARKED} | refusal)
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGES = [*settings.LANGUAGES, ("de", "Deutsch")]


def texts_in(text: Text) -> set[str]:
    return {text.template, *(each for each in text.figures.values() if isinstance(each, str))}


def test_every_code_of_a_picture_error_has_a_marked_text():
    assert {error.text.template for error in BY_CODE.values()} <= MARKED


@pytest.mark.parametrize("kind", FILES)
def test_every_text_that_a_file_meets_is_marked(kind):
    with pytest.raises(PictureError) as refused:
        decode(FILES[kind][0])
    assert texts_in(refused.value.text) <= MARKED


@pytest.mark.parametrize("code", GATE_CODES)
def test_every_code_of_the_gate_has_a_marked_text_for_its_figures(code):
    text = reason_text(code, FIGURES)
    assert texts_in(text) <= MARKED
    assert "%(" not in str(text)


def test_the_seven_names_are_marked():
    assert {condition.name for condition in CONDITIONS} <= MARKED


@pytest.mark.parametrize(
    ("kind", "template", "figures"),
    [
        ("empty", BY_CODE["empty-file"].text.template, {}),
        ("PDF", "This is %(kind)s, which", {"kind": "a PDF document"}),
        ("TIFF of two pages", "This TIFF contains %(count)d pictures", {"count": 2}),
    ],
)
def test_a_picture_error_is_translated_at_every_door(
    kind, template, figures, catalogue, patient, staff, sign_in, client
):
    (template,) = (text for text in MARKED if text.startswith(template))
    shown = {name: pseudo(each) if isinstance(each, str) else each for name, each in figures.items()}
    expected = pseudo(template) % shown
    visit, lesion = factories.VisitFactory(patient=patient), factories.LesionFactory(patient=patient)
    data, member = FILES[kind][0], sign_in(staff)
    quick = client.post(reverse("quick-check"), {"file": upload_of(data)}, **GERMAN)
    assert expected in html.unescape(quick.text)
    assert member.post(PREDICT, {"file": upload_of(data)}, **GERMAN).json()["detail"] == expected
    kept = member.post(
        reverse("upload", args=[visit.pk]), {"lesion": str(lesion.pk), "files": [upload_of(data)]}, **GERMAN
    )
    assert expected in html.unescape(kept.text)
    assert "«" not in client.post(reverse("quick-check"), {"file": upload_of(data)}).text


@pytest.mark.django_db
def test_a_refusal_for_quality_is_translated(catalogue, client):
    refused = client.post(reverse("quick-check"), {"file": upload_of(blurred(sample()))}, **GERMAN)
    assert refused.status_code == 422
    assert "Unscharf" in refused.text
    assert "The photograph is blurred" not in refused.text


def test_the_reasons_of_the_gate_are_translated_and_unknown_ones_shown_as_stored(catalogue, dermatologist, sign_in):
    reasons = [
        {"code": "recall-df", "weight": "reject", "figures": FIGURES, "words": "As stored."},
        {"code": "base-balanced-accuracy", "weight": "hold", "figures": {}, "words": "Without figures."},
        {"code": "a-rule-of-old", "weight": "hold", "figures": {"limit": 1}, "words": "An old rule."},
    ]
    version = candidate(verdict="reject")
    judgement = {**(version.judgement or {}), "reasons": reasons}
    ModelVersion.objects.filter(pk=version.pk).update(judgement=judgement)
    page = html.unescape(sign_in(dermatologist).get(reverse("version", args=[version.pk]), **GERMAN).text)
    assert "««Dermatofibroma»: recall on the base test set fell below its floor of 0.45: 0.900 before" in page
    assert "(−0.100 to −0.020)" in page
    assert "As stored." not in page
    assert "Without figures." in page
    assert "An old rule." in page
