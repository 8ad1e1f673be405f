"""The network's answer to one photograph as it appears in a report."""

import datetime
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from diagnosis.assessment.advice import CaseContext, caveats_about, heading_beside, next_steps, tone_beside
from diagnosis.assessment.presentation import AssessmentView, present_prediction
from diagnosis.images.condition_names import condition_name, malignancy_name
from diagnosis.images.models import Prediction, Tier
from diagnosis.reviews.diagnoses import BY_CODE
from mlmodel.network.tiers import class_order

DIGITS = 6

Content = dict[str, Any]


def assessment_in_report(prediction: Prediction, case_context: CaseContext) -> Content:
    """Return the software's answer to a photograph in the context of its case."""
    view = present_prediction(prediction, case_context=case_context)
    return {
        "reliability": str(view.reliability),
        **(_named(prediction, view) if view.is_reliable else _unnamed()),
        "class_order": class_order(prediction.probabilities),
        "tier": view.tier,
        "tier_words": view.title,
        "heading": view.heading,
        "tone": view.tone,
        # The tier for reading an article: another photograph or a symptom may make the case more urgent.
        "advised_tier": str(case_context.explained_as(Tier(view.tier))),
        "meaning": view.meaning,
        "cost": view.cost,
        "caution": view.caution,
        "tips": list(view.tips),
        "doubts": [caveat.words for caveat in view.caveats],
        # The doubts raised by a dermatologist's suspicion: a label of another photograph does not remove them.
        "suspicions": suspicions_in(case_context),
        "next_steps": list(view.next_steps),
        "model_version": prediction.model_version.name,
        "model_sha256": prediction.model_version.sha256,
        "at": moment_in_report(prediction.created_at),
    }


def assessment_overruled_by_label(assessment: Content, names: Sequence[str] = ()) -> Content:
    """Return the software's answer for a lesion labelled malignant: it neither reassures nor changes the urgency.

    Classes and probabilities stay; the text is replaced by one neutral sentence. Other suspicions stay.

    Args:
        names: the names of the lesion's labels; suspicions of the same name are dropped.
    """
    sentence = {
        Tier.URGENT: _("The software also assessed the photograph as dangerous."),
        Tier.WATCH: _("The software advised a closer look."),
        Tier.CALM: _("The software did not recognise the danger."),
    }[Tier(assessment["tier"])]
    explained = assessment["explained"]
    suspicions = assessment.get("suspicions", [])
    suspicions = [words for words in suspicions if not any(name in words for name in names)]
    return {
        **assessment,
        **dict.fromkeys(("meaning", "cost", "caution", "set_words", "candidates_words"), ""),
        **{name: [] for name in ("next_steps", "tips")},
        "doubts": suspicions,
        "suspicions": suspicions,
        "heading": sentence,
        "tier_words": sentence,
        "explained": explained and {**explained, "words": ""},
    }


def assessment_with_suspicion(assessment: Content, case_context: CaseContext) -> Content:
    """Return the software's answer for a photograph on which a dermatologist suspects malignancy."""
    tier = Tier(assessment["tier"])
    caveats = [caveat.words for caveat in caveats_about(tier, case_context)]
    return {
        **assessment,
        "doubts": list(dict.fromkeys([*caveats, *assessment.get("doubts", ())])),
        "suspicions": suspicions_in(case_context),
        "heading": heading_beside(tier, case_context, has_caveats=True),
        "tone": str(tone_beside(tier, case_context, has_caveats=True)),
        "advised_tier": str(case_context.explained_as(tier)),
        "next_steps": list(next_steps(tier, case_context)),
    }


def suspicions_in(case_context: CaseContext) -> list[str]:
    """The sentences on what dermatologists suspect or cannot rule out."""
    suspicions = CaseContext(
        suspected=case_context.suspected,
        suspected_elsewhere=case_context.suspected_elsewhere,
        unclear=case_context.unclear,
    )
    return [caveat.words for caveat in caveats_about(Tier.URGENT, suspicions)]


def _named(prediction: Prediction, view: AssessmentView) -> Content:
    """Classes and probabilities. ``explained`` drives the tier; ``code`` is the most probable single class."""
    return {
        **condition_in_report(prediction.code),
        "confidence": round(prediction.confidence, DIGITS),
        "probabilities": {code: round(value, DIGITS) for code, value in prediction.probabilities.items()},
        "malignant_probability": round(prediction.malignant_probability, DIGITS),
        "explained": {
            **condition_in_report(view.explained_code),
            "probability": round(prediction.probabilities[view.explained_code], DIGITS),
            "words": view.reason,
        },
        "candidates": [
            {"codes": [each.code], "name": each.name, "probability": round(each.probability, DIGITS)}
            for each in view.candidates
        ],
        "candidates_words": view.candidates_words,
        "prediction_set": [bar.code for bar in view.bars if bar.in_set],
        "set_words": view.set_sentence,
    }


def _unnamed() -> Content:
    """The fields of an unreliable answer: no classes and no probabilities."""
    names = ("code", "name", "malignancy", "icd10", "snomed_ct", "confidence", "probabilities")
    return {
        **dict.fromkeys((*names, "malignant_probability", "explained")),
        "candidates": [],
        "candidates_words": "",
        "prediction_set": [],
        "set_words": "",
    }


def condition_in_report(code: str) -> Content:
    condition = BY_CODE[code]
    return {
        "code": code,
        "name": condition_name(condition),
        "malignancy": malignancy_name(condition),
        "icd10": condition.icd10,
        "snomed_ct": condition.snomed_ct,
    }


def moment_in_report(at: datetime.datetime) -> str:
    """Return the time in UTC, to the second."""
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
