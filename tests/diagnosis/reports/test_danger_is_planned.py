"""The database refuses dangerous reports without a plan or a reason, and dangerous reports released on signing."""

import json
import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from diagnosis.migrations import _planned_danger
from diagnosis.reports.content import build_content, canonical_json
from diagnosis.reports.models import Report
from diagnosis.reports.signing_checks import pressing_lesions
from diagnosis.reviews.answers import ANSWERS, NOT_A_LESION, danger_rank, is_benign_answer, is_malignant_answer
from diagnosis.reviews.services import record_review
from tests import factories

REFUSED = "report_of_danger_is_planned"


def a_report(
    dermatologist,
    *,
    label: str = "",
    tier: str = "calm",
    plan: str = "",
    reason: str = "",
    basis: str = "dermatoscopy",
    **facts,
) -> Report:
    """The report of one photograph, kept past every service."""
    image = factories.ImageFactory(lesion__patient__clinic=dermatologist.clinic)
    factories.PredictionFactory(image=image, code="mel" if tier == "urgent" else "nv", tier=tier)
    if label:
        text = "Its words" if label.startswith("other") else ""
        record_review(
            image=image, reviewer=dermatologist, answer=label, certainty="certain", other_text=text, basis=basis
        )
    content = build_content(image.visit)
    content["visit"] |= {"plan": plan}
    hashed = {"content_sha256": "a" * 64, "pdf_sha256": "b" * 64, "pdf": "reports/none.pdf"}
    return Report(
        id=uuid.uuid4(),
        visit=image.visit,
        signed_by=dermatologist,
        signed_at=timezone.now(),
        content=canonical_json(content),
        no_plan_reason=reason or None,
        **{**hashed, **facts},
    )


def is_kept(report: Report) -> bool:
    try:
        with transaction.atomic():
            report.save(force_insert=True)
    except IntegrityError as error:
        if REFUSED not in str(error):
            raise
        return False
    return True


@pytest.mark.parametrize("words", ["", " ", "\n\t ", "-", "–", "…", ". . ."])
@pytest.mark.parametrize("danger", [{"label": "mel"}, {"label": "merkel"}, {"tier": "urgent"}])
def test_danger_without_words_is_refused(dermatologist, danger, words):
    assert not is_kept(a_report(dermatologist, plan=words, reason=words, **danger))


@pytest.mark.parametrize(
    "danger",
    [
        {"label": "akiec"},
        {"label": "other_malignant"},
        {"tier": "urgent", "label": "other"},
        {"tier": "urgent", "label": "meltump"},
        {"tier": "urgent", "label": "scc"},
        {"tier": "urgent", "label": "nv"},
        {"tier": "urgent", "label": "nv", "basis": "follow_up"},
        {"tier": "urgent", "label": "scc", "basis": "histopathology"},
    ],
)
def test_every_kind_of_danger_takes_a_plan_or_a_reason(dermatologist, danger):
    assert not is_kept(a_report(dermatologist, **danger))
    assert is_kept(a_report(dermatologist, plan="Excision within two weeks.", **danger))
    assert is_kept(a_report(dermatologist, reason="Treated elsewhere.", **danger))


@pytest.mark.parametrize(
    "calm",
    [
        {},
        {"tier": "watch"},
        {"label": "nv"},
        {"tier": "urgent", "label": "nv", "basis": "histopathology"},
        {"label": "not_a_lesion"},
    ],
)
def test_what_is_not_dangerous_takes_none(dermatologist, calm):
    assert is_kept(a_report(dermatologist, **calm))


def test_a_second_lesions_danger_counts(dermatologist):
    report, dangerous = a_report(dermatologist), a_report(dermatologist, label="mel")
    content = json.loads(report.content)
    content["lesions"] += json.loads(dangerous.content)["lesions"]
    report.content = canonical_json(content)
    assert not is_kept(report)


def test_a_dangerous_report_is_not_released_as_it_is_made(dermatologist):
    released = {"released_by": dermatologist, "released_at": timezone.now() + timedelta(minutes=1)}
    assert not is_kept(a_report(dermatologist, label="mel", plan="Excision.", **released))
    assert is_kept(a_report(dermatologist, label="nv", **released))


def test_the_database_knows_the_answers_that_the_code_knows():
    """Who adds a diagnosis gives the trigger its new list in a migration."""
    assert set(_planned_danger.MALIGNANT) == {answer for answer in ANSWERS if is_malignant_answer(answer)}
    assert set(_planned_danger.MAYBE_MALIGNANT) == {answer for answer in ANSWERS if danger_rank(answer) == 1}
    harmless = {answer for answer in ANSWERS if is_benign_answer(answer)}
    assert set(_planned_danger.HARMLESS) == {*harmless, NOT_A_LESION}


@pytest.mark.parametrize("label", ["", "mel", "nv", "other", "meltump", "not_a_lesion"])
@pytest.mark.parametrize("tier", ["urgent", "watch", "calm"])
@pytest.mark.parametrize("basis", ["dermatoscopy", "histopathology"])
def test_database_and_signing_page_are_of_one_mind(dermatologist, label, tier, basis):
    report = a_report(dermatologist, label=label, tier=tier, basis=basis)
    assert is_kept(report) == (not pressing_lesions(json.loads(report.content)))
