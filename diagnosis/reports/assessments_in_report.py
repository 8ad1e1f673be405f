"""What a report says of the network's answer to one photograph."""

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
    """Return what the software says of a photograph, with what else is known of its lesion."""
    said = present_prediction(prediction, case_context=case_context)
    return {
        "reliability": str(said.reliability),
        **(_named(prediction, said) if said.is_reliable else _unnamed()),
        "class_order": class_order(prediction.probabilities),
        "tier": said.tier,
        "tier_words": said.title,
        "heading": said.heading,
        "tone": said.tone,
        # Beside which tier an article is read: another photograph or a symptom may ask for more haste.
        "advised_tier": str(case_context.explained_as(Tier(said.tier))),
        "meaning": said.meaning,
        "cost": said.cost,
        "caution": said.caution,
        "tips": list(said.tips),
        "doubts": [caveat.words for caveat in said.caveats],
        # Those of them that a dermatologist's word of danger makes: no label of another photograph silences them.
        "suspicions": suspicions_in(case_context),
        "next_steps": list(said.next_steps),
        "model_version": prediction.model_version.name,
        "model_sha256": prediction.model_version.sha256,
        "at": moment_in_report(prediction.created_at),
    }


def assessment_overruled_by_label(assessment: Content, names: Sequence[str] = ()) -> Content:
    """Return the software's answer with neither comfort nor another haste than the dermatologist's.

    Classes and figures stay; its words give way to one neutral sentence. What is suspected besides stays too.

    Args:
        names: of the lesion's labels; that they are suspected says nothing more.
    """
    said = {
        Tier.URGENT: _("The software took the photograph for dangerous too."),
        Tier.WATCH: _("The software asked for a closer look."),
        Tier.CALM: _("The software did not recognise the danger."),
    }[Tier(assessment["tier"])]
    explained = assessment["explained"]
    told = assessment.get("suspicions", [])
    suspicions = [words for words in told if not any(name in words for name in names)]
    return {
        **assessment,
        **dict.fromkeys(("meaning", "cost", "caution", "set_words", "candidates_words"), ""),
        **{name: [] for name in ("next_steps", "tips")},
        "doubts": suspicions,
        "suspicions": suspicions,
        "heading": said,
        "tier_words": said,
        "explained": explained and {**explained, "words": ""},
    }


def assessment_with_suspicion(assessment: Content, case_context: CaseContext) -> Content:
    """Return the software's answer as it is said where a dermatologist suspects something malignant."""
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
    """What dermatologists suspect or cannot rule out, as sentences."""
    named = CaseContext(
        suspected=case_context.suspected,
        suspected_elsewhere=case_context.suspected_elsewhere,
        unclear=case_context.unclear,
    )
    return [caveat.words for caveat in caveats_about(Tier.URGENT, named)]


def _named(prediction: Prediction, said: AssessmentView) -> Content:
    """Classes and figures. ``explained`` drives the tier; ``code`` is the most probable single class."""
    return {
        **condition_in_report(prediction.code),
        "confidence": round(prediction.confidence, DIGITS),
        "probabilities": {code: round(value, DIGITS) for code, value in prediction.probabilities.items()},
        "malignant_probability": round(prediction.malignant_probability, DIGITS),
        "explained": {
            **condition_in_report(said.explained_code),
            "probability": round(prediction.probabilities[said.explained_code], DIGITS),
            "words": said.reason,
        },
        "candidates": [
            {"codes": [each.code], "name": each.name, "probability": round(each.probability, DIGITS)}
            for each in said.candidates
        ],
        "candidates_words": said.candidates_words,
        "prediction_set": [bar.code for bar in said.bars if bar.in_set],
        "set_words": said.set_sentence,
    }


def _unnamed() -> Content:
    """The same of an answer that cannot be relied on: no class and no figure, only the order of the classes."""
    nothing = ("code", "name", "malignancy", "icd10", "snomed_ct", "confidence", "probabilities")
    return {
        **dict.fromkeys((*nothing, "malignant_probability", "explained")),
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
    """A moment in UTC, to the second."""
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
