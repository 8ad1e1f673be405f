"""Typed text in reports: complete, under its own heading, and without disturbing the text around it."""

import json
import re

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import strip_tags

from dermascan.core.rough_dates import RoughDate
from diagnosis.reports.content import build_content
from diagnosis.reports.report_view import present
from patients.models import Lesion, Visit
from tests.diagnosis.reporting import MELANOMA, confirm, photographed_visit, signed_report
from tests.hooks import wording


@pytest.fixture
def visit(patient):
    visit = photographed_visit(patient, MELANOMA, plan="Cut it out.", symptoms_since="")
    Lesion.objects.update(noticed_on="2024-06-01", noticed_precision="month")
    return visit


def words_of(html: str) -> str:
    """The page's text, with one space between words."""
    return re.sub(r"\s+", " ", strip_tags(re.sub(r"(?s)<(script|style).*?</\1>", "", html))).strip()


def report_words(content: dict) -> str:
    html = render_to_string("reports/report.html", {"title": "", "content": present(content), "content_sha256": ""})
    return words_of(html)


def test_how_long_is_said_as_the_patient_said_it(sign_in, visit, dermatologist, patient_user):
    reader = sign_in(dermatologist)
    for typed in ("since June", "June", "about two years", "Since she was born."):
        Visit.objects.update(symptoms_since=typed)
        visit.refresh_from_db()
        pages = {name: reader.get(reverse(name, args=[visit.pk])).text for name in ("visit", "visit-sign")}
        for said in (*map(words_of, pages.values()), report_words(build_content(visit))):
            assert wording(f"How long, or since when {typed}") in said
    signed_report(visit, dermatologist, released=True)
    own = words_of(sign_in(patient_user).get(reverse("my-visit", args=[visit.pk])).text)
    # Said although no symptom was ticked.
    assert wording(f"Symptoms not asked How long, or since when {typed}") in own


@pytest.mark.parametrize(
    ("typed", "printed"), [("scar, left", "scar, left"), ("ندبة قديمة", "ندبة قديمة\u200e"), ("צלקת", "צלקת\u200e")]
)
def test_what_is_written_from_right_to_left_moves_no_figure_of_ours(visit, typed, printed):
    content = build_content(visit)
    lesion = {**content["lesions"][0], "description": typed, "noticed_on": None, "noticed_precision": ""}

    assert f"{printed} · 1 photograph" in report_words({**content, "lesions": [lesion]})


def test_when_a_lesion_was_noticed_is_as_exact_as_it_is_known(visit):
    for data, precision, words in [("2024", "year", "2024"), ("2024-06", "month", "June 2024")]:
        lesion = visit.images.get().lesion
        lesion.noticed = RoughDate.parse(data)
        lesion.save()
        content = build_content(visit)
        said = json.loads(json.dumps(content["lesions"][0]))
        assert (said["noticed_on"], said["noticed_precision"]) == (data, precision)
        assert f"first noticed {words} ·" in report_words(content)
    before = {**said, "noticed_on": "2024-06-03"}
    del before["noticed_precision"]
    assert "first noticed 3 June 2024 ·" in report_words({**content, "lesions": [before]})


def test_no_full_stop_is_doubled(sign_in, visit, dermatologist):
    confirm(visit, dermatologist, code="other_malignant", other_text="Angiosarcoma, st. p. exc.")
    pages = [visit.get_absolute_url(), visit.images.get().get_absolute_url(), reverse("visit-sign", args=[visit.pk])]
    for page in map(sign_in(dermatologist).get, pages):
        assert "Angiosarcoma, st. p. exc" in page.text
        assert ".." not in words_of(page.text)
