"""The API's answer about a photograph, stored or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from diagnosis.api.image_links import image_link
from diagnosis.api.measurements import measurements_of_image, measurements_of_picture
from diagnosis.api.problems import Problem
from diagnosis.api.warnings import warning_fields_of_image, warning_fields_of_view
from diagnosis.assessment import explain
from diagnosis.assessment.analysis import QuickResult
from diagnosis.assessment.candidates import candidates_in_words, candidates_of, tier_in_words
from diagnosis.assessment.photograph_kind import dermatoscope_tips
from diagnosis.assessment.presentation import present
from diagnosis.assessment.refusals import present_refusal
from diagnosis.assessment.urgency import care_beside_result, urgency_of_condition, urgency_of_result
from diagnosis.images.clinic_analysers import as_read_then
from diagnosis.images.models import AnswerSettings, Image, Tier
from diagnosis.images.prediction_sets import prediction_set
from diagnosis.images.reliability import reliability_of
from mlmodel.network.calibration import by_code, in_order
from mlmodel.network.quality import Reliability
from mlmodel.network.tiers import class_order, explained_code, most_probable_code
from mlmodel.taxonomy import BY_CODE, CODES
from mlmodel.versions.serving import active_analyser, analyser_of, can_serve


@dataclass(frozen=True)
class Reader:
    """The language and reading level of the explanation."""

    language: str
    reading_level: str


def answer_for_image(image: Image, *, reader: Reader) -> dict[str, Any]:
    """Return the network's answer about a stored photograph. Raises ``Problem`` if the photograph was refused."""
    link, warning_fields = image_link(image), warning_fields_of_image(image)
    prediction = image.shown_prediction
    if prediction is None:
        raise _refusal(image.verdict, image.measures, image=link, warnings=warning_fields["warnings"])
    version = prediction.model_version
    analyser = as_read_then(prediction, analyser_of(version) if can_serve(version) else active_analyser())
    return _answer(
        reliability=image.reliability,
        probabilities=prediction.probabilities,
        equal_prior_scores=by_code(analyser.calibration.without_class_mix(in_order(prediction.probabilities))),
        malignant_probability=prediction.malignant_probability,
        tier=prediction.tier,
        warning_fields=warning_fields,
        codes=prediction_set(analyser, prediction),
        model_version=prediction.model_version.name,
        answer_settings=prediction.answer_settings,
        quality=_quality(image.verdict, image.measures),
        measurements=measurements_of_image(image),
        image=link,
        reader=reader,
    )


def answer_for_quick_result(result: QuickResult, *, reader: Reader, kind: str = "") -> dict[str, Any]:
    """Return the network's answer about a photograph that is not stored. Raises ``Problem`` if it was refused.

    Args:
        kind: the ``PhotographKind`` that was stated, if any.
    """
    quality = result.analysis.quality
    assessment = result.analysis.assessment
    if assessment is None:
        raise _refusal(str(quality.verdict), quality.measures, image=None, warnings=[])
    measured = result.analysis.measured
    assert measured is not None, "the API always asks for measures"
    reliability = reliability_of(quality.measures, kind=kind)
    view = present(
        probabilities=assessment.probabilities,
        tier=assessment.tier,
        malignant_probability=assessment.malignant_probability,
        prediction_set=assessment.prediction_set,
        operating_points=None,
        reliability=reliability,
    )
    return _answer(
        reliability=reliability,
        warning_fields=warning_fields_of_view(view),
        probabilities=assessment.probabilities,
        equal_prior_scores=assessment.equal_prior_scores,
        malignant_probability=assessment.malignant_probability,
        tier=str(assessment.tier),
        codes=assessment.prediction_set,
        model_version=result.model_version,
        answer_settings=result.answer_settings,
        quality=_quality(str(quality.verdict), quality.measures),
        measurements=measurements_of_picture(result.picture, measured),
        image=None,
        reader=reader,
    )


def explanation_of(code: str, *, reader: Reader, tier: str | None = None, wait: bool = True) -> dict[str, Any]:
    """Return the explanation of a condition; with ``tier``, the one shown with a result.

    Without ``wait`` it is the one at hand, and a better one is requested in the background.
    """
    request = {"code": code, "language": reader.language, "reading_level": reader.reading_level}
    if not wait:
        explain.request_explanation(**request)
    explained = explain.explain(**request, ask=wait)
    urgency = urgency_of_result(explained, tier=tier) if tier else urgency_of_condition(explained)
    sections = dict(explained.sections)
    if tier:
        sections["when_to_seek_care"] = care_beside_result(explained, tier=tier)
    return {
        "code": code,
        "source": str(explained.source),
        "model_name": explained.model_name,
        "language": explained.language,
        "urgency": urgency.words,
        "urgency_from": str(urgency.speaker),
        "sections": sections,
        "sources": [{"title": title, "url": url} for title, url in explained.sources],
    }


def _answer(
    *,
    reliability: Reliability,
    probabilities: Mapping[str, float],
    equal_prior_scores: Mapping[str, float],
    malignant_probability: float,
    tier: str,
    warning_fields: dict[str, Any],
    codes: tuple[str, ...],
    model_version: str,
    answer_settings: AnswerSettings | None,
    quality: dict[str, Any],
    measurements: dict[str, Any] | None,
    image: dict[str, Any] | None,
    reader: Reader,
) -> dict[str, Any]:
    figures = {
        "probabilities": {each: _rounded(probabilities[each]) for each in CODES},
        "equal_prior_scores": {each: _rounded(equal_prior_scores[each]) for each in CODES},
        "malignant_probability": _rounded(malignant_probability),
    }
    is_reliable = reliability is Reliability.CALIBRATED
    return {
        "reliability": str(reliability),
        **warning_fields,
        **(
            _reliable_fields(
                probabilities,
                tier=tier,
                shown_tier=(warning_fields["tier"] or warning_fields["network_tier"])["code"],
                codes=codes,
                reader=reader,
                figures=figures,
            )
            if is_reliable
            else _unreliable_fields(probabilities, figures=tuple(figures), reliability=reliability)
        ),
        "model_version": model_version,
        "answer_settings": _settings(answer_settings),
        "quality": quality,
        "measurements": measurements,
        "image": image,
        "disclaimer": disclaimer(),
    }


def _settings(chosen: AnswerSettings | None) -> dict[str, Any] | None:
    """Return the clinic's settings that apply to this answer; None if those of the release apply."""
    if chosen is None:
        return None
    return {
        "number": chosen.number,
        "watch": chosen.watch,
        "urgent": chosen.urgent,
        "is_own_class_mix": bool(chosen.class_mix),
    }


def _reliable_fields(
    probabilities: Mapping[str, float],
    *,
    tier: str,
    shown_tier: str,
    codes: tuple[str, ...],
    reader: Reader,
    figures: dict[str, Any],
) -> dict[str, Any]:
    """Return classes and figures of a reliable answer; the explanation goes with ``shown_tier``."""
    code, explained = most_probable_code(probabilities), explained_code(probabilities, tier=tier)
    candidates = candidates_of(probabilities, explained=explained)
    is_calm = tier == Tier.CALM
    return {
        "predicted_class": BY_CODE[code].name,
        "predicted_code": code,
        "confidence": _rounded(probabilities[code]),
        **figures,
        "prediction_set": list(codes),
        "explained": {
            "code": explained,
            "name": BY_CODE[explained].name,
            "probability": _rounded(probabilities[explained]),
            "because": "most_probable" if is_calm else "leading_malignant",
            "text": "" if is_calm else tier_in_words(probabilities, explained=explained),
        },
        "candidates": [
            {
                "codes": [each.code],
                "name": each.name,
                "probability": _rounded(each.probability),
                "is_malignant": each.is_malignant,
            }
            for each in candidates
        ],
        "candidates_text": candidates_in_words(candidates),
        "explanation": explanation_of(explained, reader=reader, tier=shown_tier, wait=False),
        "not_reliable": None,
    }


def _unreliable_fields(
    probabilities: Mapping[str, float], *, figures: tuple[str, ...], reliability: Reliability
) -> dict[str, Any]:
    """Return the same fields, all null, with the order of the classes: no figure is valid, so none is given."""
    empty = ("predicted_class", "predicted_code", "confidence", *figures, "explained", "explanation")
    return {
        **dict.fromkeys(empty),
        "prediction_set": [],
        "candidates": [],
        "candidates_text": "",
        "not_reliable": {
            "warning": _not_reliable_because(reliability),
            "advice": list(dermatoscope_tips()) if reliability is Reliability.SMARTPHONE else [],
            "class_order": class_order(probabilities),
        },
    }


def _not_reliable_because(reliability: Reliability) -> str:
    if reliability is Reliability.NOT_JUDGED:
        return _(
            "This photograph was refused, and a dermatologist had it analysed anyway. The order of the classes is "
            "not an answer and must not be shown as one."
        )
    return _(
        "Taken without a dermatoscope: the network cannot rule anything out. The order of the classes is not an "
        "answer and must not be shown as one."
    )


def disclaimer() -> str:
    return _("Decision support, not a diagnosis: a dermatologist decides.")


def _refusal(
    verdict: str, measures: Mapping[str, float], *, image: dict[str, Any] | None, warnings: list[dict[str, Any]]
) -> Problem:
    words = present_refusal(verdict)
    return Problem(
        "cannot-be-judged",
        f"{words.title}. {words.what_was_wrong}",
        reason=words.what_was_wrong,
        advice=list(words.tips),
        quality=_quality(verdict, measures),
        image=image,
        warnings=warnings,
        disclaimer=disclaimer(),
    )


def _quality(verdict: str, measures: Mapping[str, float]) -> dict[str, Any]:
    return {"verdict": verdict, "measures": {name: _rounded(value) for name, value in measures.items()}}


def _rounded(value: float) -> float:
    """Return six digits: more would be noise."""
    return round(float(value), 6)
