"""An answer in words: the same for the result page, the quick check and the report.

Plain values only, so that a template needs no knowledge of the network and nothing has to be stored to show an answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from diagnosis.assessment.advice import (
    NO_CONTEXT,
    CaseContext,
    Caveat,
    caveats_about,
    heading_beside,
    missed_in_words,
    next_steps,
    tone_beside,
)
from diagnosis.assessment.candidates import (
    Candidate,
    bar_value,
    candidates_in_words,
    candidates_of,
    percent,
    set_in_words,
    tier_in_words,
)
from diagnosis.assessment.explain import explain
from diagnosis.assessment.photograph_kind import dermatoscope_tips, smartphone_caution
from diagnosis.assessment.section_titles import SECTION_TITLES
from diagnosis.assessment.threshold_costs import cost_of
from diagnosis.assessment.urgency import care_beside_result, care_in_doubt, urgency_in_doubt, urgency_of_result
from diagnosis.images.clinic_analysers import as_read_then
from diagnosis.images.condition_names import condition_name, malignancy_name
from diagnosis.images.models import Prediction, Tier
from diagnosis.images.prediction_sets import prediction_set
from diagnosis.images.reliability import reliability_of, tier_to_show
from mlmodel.explanations.blocks import blocks
from mlmodel.explanations.explained import Explained
from mlmodel.network.analyser import Analyser, Analysis
from mlmodel.network.quality import Reliability
from mlmodel.network.tiers import OperatingPoints, class_order, explained_code, most_probable_code
from mlmodel.taxonomy import BY_CODE, Condition
from mlmodel.versions.serving import analyser_of, can_serve


@dataclass(frozen=True)
class Bar:
    """One class with its calibrated probability. ``value`` is that of a ``<progress max="1">``."""

    code: str
    name: str
    malignancy: str
    is_malignant: bool
    probability: float
    percent: str
    value: str
    in_set: bool


@dataclass(frozen=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True)
class AssessmentView:
    """The content of ``templates/assessment/includes/assessment.html``.

    Attributes:
        tier: "urgent", "watch" or "calm", as it is shown.
        title: the tier as an instruction; the most prominent text on the page.
        meaning: the malignant probability as a number out of 100 photographs.
        cost: what the threshold behind the tier finds, flags and misses; empty if its version cannot be loaded.
        bars: all seven classes, most probable first; empty if the answer is not reliable.
        explained_code: the class whose article and heat map explain the answer; empty if no class is shown.
        code: the most probable single class; empty if no class is shown.
        reason: which class an urgent or watch tier is due to.
        candidates: at most three classes that it could be, the explained one first.
        set_sentence: the 90 % set and its coverage.
        next_steps: what to do, in order.
        caution: why less can be said than usual; empty for a photograph taken with a dermatoscope.
        tips: how to take a photograph that can be relied on; only if this one cannot.
        class_order: the classes, most probable first, if neither class nor probability is shown.
        caveats: what else is known that may call for more urgency.
        heading: the title, which announces caveats.
        tone: the colour of the whole, as a tier.
        is_second: something more serious is shown on the page before this answer.
    """

    tier: str
    title: str
    next_steps: tuple[str, ...]
    facts: tuple[Fact, ...]
    reliability: Reliability = Reliability.CALIBRATED
    meaning: str = ""
    cost: str = ""
    bars: tuple[Bar, ...] = ()
    explained_code: str = ""
    code: str = ""
    reason: str = ""
    candidates: tuple[Candidate, ...] = ()
    set_sentence: str = ""
    caution: str = ""
    tips: tuple[str, ...] = ()
    class_order: tuple[str, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    heading: str = ""
    tone: str = ""
    is_second: bool = False

    @property
    def is_reliable(self) -> bool:
        return self.reliability is Reliability.CALIBRATED

    @property
    def other_code(self) -> str:
        """The most probable class if another one is explained; else empty."""
        return self.code if self.code != self.explained_code else ""

    @property
    def candidates_words(self) -> str:
        return candidates_in_words(self.candidates)

    @property
    def mapped(self) -> tuple[tuple[str, str], ...]:
        """Code and name of the classes that have heat maps, the explained one first."""
        return tuple((code, condition_name(BY_CODE[code])) for code in (self.explained_code, self.other_code) if code)

    @property
    def mark(self) -> str:
        """A character that tells the tone without its colour."""
        return TIER_MARKS[Tier(self.tone)]


def present_prediction(
    prediction: Prediction,
    *,
    facts: Sequence[Fact] = (),
    case_context: CaseContext = NO_CONTEXT,
    is_warned: bool = False,
) -> AssessmentView:
    """Return the view of a stored prediction. Thresholds and set are its own version's, or are left out.

    Args:
        is_warned: as for ``present``.
    """
    version = prediction.model_version
    analyser = as_read_then(prediction, analyser_of(version)) if can_serve(version) else None
    return present(
        probabilities=prediction.probabilities,
        tier=prediction.tier,
        malignant_probability=prediction.malignant_probability,
        prediction_set=prediction_set(analyser, prediction) if analyser else (),
        operating_points=analyser.operating_points if analyser else None,
        are_points_chosen=bool(analyser and analyser.operating_points != analyser.released_points),
        is_own_mix=bool(analyser and analyser.calibration.own_mix is not None),
        facts=facts,
        reliability=prediction.image.reliability,
        caution=smartphone_caution(prediction.image.measures, analyser, kind=prediction.image.kind),
        case_context=case_context,
        refused=prediction.refused_as,
        is_warned=is_warned,
    )


def present_analysis(analysis: Analysis, *, analyser: Analyser, facts: Sequence[Fact] = ()) -> AssessmentView | None:
    """Return the view of an analysis; None if the photograph was refused (see ``present_refusal``)."""
    assessment = analysis.assessment
    if assessment is None:
        return None
    return present(
        probabilities=assessment.probabilities,
        tier=assessment.tier,
        malignant_probability=assessment.malignant_probability,
        prediction_set=assessment.prediction_set,
        operating_points=analyser.operating_points,
        are_points_chosen=analyser.operating_points != analyser.released_points,
        is_own_mix=analyser.calibration.own_mix is not None,
        facts=facts,
        reliability=reliability_of(analysis.quality.measures),
        caution=smartphone_caution(analysis.quality.measures, analyser),
    )


def present(
    *,
    probabilities: Mapping[str, float],
    tier: str,
    malignant_probability: float,
    prediction_set: Sequence[str],
    operating_points: OperatingPoints | None,
    are_points_chosen: bool = False,
    is_own_mix: bool = False,
    facts: Sequence[Fact] = (),
    reliability: Reliability = Reliability.CALIBRATED,
    caution: str = "",
    case_context: CaseContext = NO_CONTEXT,
    refused: str = "",
    is_warned: bool = False,
) -> AssessmentView:
    """Return the view of an answer. An unreliable one says only whether and when to see a dermatologist.

    Args:
        operating_points: the thresholds behind the tier; None to leave them out.
        are_points_chosen: the clinic chose them, not the release.
        is_own_mix: the percentages are for the clinic's own class mix, not the release's.
        refused: why the quality check refused the photograph, in words; empty if it passed.
        is_warned: the page warns of danger in another way, so that a calm answer comes second.
    """
    shown = Tier(tier_to_show(tier, reliability))
    is_reliable = reliability is Reliability.CALIBRATED
    ranked = class_order(probabilities)
    caveats = caveats_about(shown, case_context, refused=refused)
    is_second = shown is Tier.CALM and (is_warned or case_context.speaks_of_danger)
    heading = heading_beside(shown, case_context, has_caveats=bool(caveats))
    common: dict[str, Any] = {
        "tier": str(shown),
        "title": str(shown.label),
        "next_steps": next_steps(shown, case_context, is_reliable=is_reliable),
        "facts": tuple(facts),
        "reliability": reliability,
        "caution": "" if refused else caution,
        "caveats": caveats,
        "heading": missed_in_words(case_context) if is_second else heading,
        "tone": str(tone_beside(shown, case_context, has_caveats=bool(caveats))),
        "is_second": is_second,
    }
    if not is_reliable:
        names = tuple(condition_name(BY_CODE[code]) for code in ranked)
        tips = dermatoscope_tips() if reliability is Reliability.SMARTPHONE else ()
        return AssessmentView(**common, tips=tips, class_order=names)
    explained = explained_code(probabilities, tier=tier)
    return AssessmentView(
        **common,
        meaning=meaning_of(malignant_probability, is_own_mix=is_own_mix),
        cost=cost_of(shown, operating_points, are_chosen=are_points_chosen) if operating_points else "",
        bars=tuple(_bar(BY_CODE[code], probabilities[code], in_set=code in prediction_set) for code in ranked),
        explained_code=explained,
        code=most_probable_code(probabilities),
        reason=tier_in_words(probabilities, explained=explained) if shown is not Tier.CALM else "",
        candidates=candidates_of(probabilities, explained=explained),
        set_sentence=set_in_words(prediction_set, ranked=ranked),
    )


def present_explanation(
    explained: Explained, *, tier: str, other_code: str = "", is_confirmed: bool = False, is_in_doubt: bool = False
) -> dict[str, Any]:
    """Return the context of ``assessment/includes/explanation.html`` for a result.

    It shows what the condition is and when to seek care. The rest is collapsed, and so is the article of
    ``other_code``, the most probable class if another one is explained.

    Args:
        is_in_doubt: labels contradict each other, or the file is in another record too.
    """
    other = explain(code=other_code, language=explained.language, ask=False) if other_code else None
    return {
        **_article(explained, tier=tier, is_confirmed=is_confirmed),
        **(_in_doubt() if is_in_doubt and not BY_CODE[explained.code].is_malignant else {}),
        "explained_name": condition_name(BY_CODE[explained.code]),
        "other": other
        and {**_article(other, tier=tier), "name": condition_name(BY_CODE[other.code]), "code": other.code},
    }


def _in_doubt() -> dict[str, Any]:
    return {"urgency": urgency_in_doubt(), "when_to_seek_care": blocks(care_in_doubt())}


def _article(explained: Explained, *, tier: str, is_confirmed: bool = False) -> dict[str, Any]:
    shown = ("what_it_is", "when_to_seek_care")
    sections = {name: blocks(text) for name, text in explained.sections.items()}
    return {
        "explained": explained,
        "urgency": urgency_of_result(explained, tier=tier, is_confirmed=is_confirmed),
        "what_it_is": sections["what_it_is"],
        "when_to_seek_care": blocks(care_beside_result(explained, tier=tier, is_confirmed=is_confirmed)),
        "more": [(title, sections[name]) for name, title in SECTION_TITLES.items() if name not in shown],
    }


TIER_MARKS = {Tier.URGENT: "!", Tier.WATCH: "?", Tier.CALM: "✓"}


def meaning_of(malignant_probability: float, *, is_own_mix: bool = False) -> str:
    """Return the malignant probability as a number out of 100 photographs."""
    meaning = _meaning_of(malignant_probability)
    return (
        f"{meaning} {_('Percentages are calculated for this clinic’s own mix of diagnoses.')}"
        if is_own_mix
        else meaning
    )


def _meaning_of(malignant_probability: float) -> str:
    if malignant_probability < 0.01:
        return _(
            "Of 100 photographs that the network reads like this one, fewer than 1 shows skin cancer or an early "
            "stage of it."
        )
    if malignant_probability > 0.99:
        return _(
            "Of 100 photographs that the network reads like this one, more than 99 show skin cancer or an early stage "
            "of it."
        )
    return _(
        "Of 100 photographs that the network reads like this one, about %(count)d show skin cancer or an early stage "
        "of it."
    ) % {"count": round(malignant_probability * 100)}


def _bar(condition: Condition, probability: float, *, in_set: bool) -> Bar:
    return Bar(
        code=condition.code,
        name=condition_name(condition),
        malignancy=malignancy_name(condition),
        is_malignant=condition.is_malignant,
        probability=probability,
        percent=percent(probability),
        value=bar_value(probability),
        in_set=in_set,
    )
