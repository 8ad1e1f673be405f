"""How an answer is said: the same words for the result page, the quick check and the report.

Plain values only, so that a template needs no knowledge of the network and nothing has to be stored to show an answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from diagnosis.advice import NOTHING_BESIDES, Besides, Doubt, doubts_about, heading_of, next_steps, tone_of
from diagnosis.condition_names import condition_name, malignancy_name
from diagnosis.explanations import SECTION_TITLES, Explained, blocks
from diagnosis.models import Prediction, Tier
from diagnosis.photograph_kind import is_smartphone, smartphone_caution
from diagnosis.urgency import urgency_of_result
from mlmodel.analysis import Analyser, Analysis
from mlmodel.calibration import in_order
from mlmodel.serving import analyser_of, can_serve
from mlmodel.taxonomy import BY_CODE, CODES, Condition
from mlmodel.tiers import OperatingPoints


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
    """What ``templates/diagnosis/includes/assessment.html`` shows.

    Attributes:
        tier: "urgent", "watch" or "calm".
        title: the tier as an instruction; the loudest thing on the page.
        meaning: the malignant probability, said in people out of a hundred.
        cost: what the threshold behind the tier finds, flags and misses; empty for a network no longer loaded.
        bars: all seven classes, most probable first.
        next_steps: what to do, in order.
        caution: why less can be said than usual; empty for a photograph through a dermatoscope.
        doubts: what is known besides the photograph and asks for more haste.
    """

    tier: str
    title: str
    meaning: str
    cost: str
    bars: tuple[Bar, ...]
    set_sentence: str
    code: str
    name: str
    malignancy: str
    leads_benign: bool
    confidence: str
    malignant_probability: str
    next_steps: tuple[str, ...]
    facts: tuple[Fact, ...]
    caution: str = ""
    doubts: tuple[Doubt, ...] = ()

    @property
    def heading(self) -> str:
        """The title, with what must be read after it announced."""
        return heading_of(self.title, Tier(self.tier), has_doubts=bool(self.doubts))

    @property
    def tone(self) -> str:
        """The colour of the whole: a tier."""
        return str(tone_of(Tier(self.tier), has_doubts=bool(self.doubts)))

    @property
    def mark(self) -> str:
        """Its sign, for those who do not see the colour."""
        return TIER_MARKS[Tier(self.tone)]


def present_prediction(
    prediction: Prediction, *, facts: Sequence[Fact] = (), besides: Besides = NOTHING_BESIDES
) -> AssessmentView:
    """Say what a stored prediction says. Thresholds and set are those of its own network, or are left out."""
    version = prediction.model_version
    analyser = analyser_of(version) if can_serve(version) else None
    return present(
        probabilities=prediction.probabilities,
        tier=prediction.tier,
        malignant_probability=prediction.malignant_probability,
        prediction_set=prediction_set(analyser, prediction) if analyser else (),
        operating_points=analyser.operating_points if analyser else None,
        facts=facts,
        caution=smartphone_caution(prediction.image.measures, analyser),
        besides=besides,
    )


def present_analysis(analysis: Analysis, *, analyser: Analyser, facts: Sequence[Fact] = ()) -> AssessmentView | None:
    """Say what ``analyser`` just said; None where it refused to judge (see ``present_refusal``)."""
    assessment = analysis.assessment
    if assessment is None:
        return None
    return present(
        probabilities=assessment.probabilities,
        tier=assessment.tier,
        malignant_probability=assessment.malignant_probability,
        prediction_set=assessment.prediction_set,
        operating_points=analyser.operating_points,
        facts=facts,
        caution=smartphone_caution(analysis.quality.measures, analyser),
    )


def present(
    *,
    probabilities: Mapping[str, float],
    tier: str,
    malignant_probability: float,
    prediction_set: Sequence[str],
    operating_points: OperatingPoints | None,
    facts: Sequence[Fact] = (),
    caution: str = "",
    besides: Besides = NOTHING_BESIDES,
) -> AssessmentView:
    """Put an answer into words."""
    ranked = sorted(CODES, key=lambda code: -probabilities[code])
    top = BY_CODE[ranked[0]]
    return AssessmentView(
        tier=str(tier),
        title=str(Tier(tier).label),
        meaning=meaning_of(malignant_probability),
        cost=cost_of(Tier(tier), operating_points) if operating_points else "",
        bars=tuple(_bar(BY_CODE[code], probabilities[code], in_set=code in prediction_set) for code in ranked),
        set_sentence=_set_sentence(prediction_set, ranked=ranked),
        code=top.code,
        name=condition_name(top),
        malignancy=malignancy_name(top),
        leads_benign=not top.is_malignant,
        confidence=percent(probabilities[top.code]),
        malignant_probability=percent(malignant_probability),
        next_steps=next_steps(Tier(tier), besides),
        facts=tuple(facts),
        caution=caution,
        doubts=doubts_about(Tier(tier), besides),
    )


def prediction_set(analyser: Analyser, prediction: Prediction) -> tuple[str, ...]:
    """The classes that together hold the truth 9 times in 10, whichever it is, most probable first."""
    calibration = analyser.calibration_for(is_smartphone=is_smartphone(prediction.image.measures))
    return tuple(CODES[index] for index in calibration.prediction_set(in_order(prediction.probabilities)))


def present_explanation(explained: Explained, *, tier: str) -> dict[str, Any]:
    """What ``diagnosis/includes/explanation.html`` shows beside a result: what it is and when to seek care.

    The rest unfolds.
    """
    shown = ("what_it_is", "when_to_seek_care")
    sections = {name: blocks(text) for name, text in explained.sections.items()}
    return {
        "explained": explained,
        "urgency": urgency_of_result(explained, tier=tier),
        "what_it_is": sections["what_it_is"],
        "when_to_seek_care": sections["when_to_seek_care"],
        "more": [(title, sections[name]) for name, title in SECTION_TITLES.items() if name not in shown],
    }


TIER_MARKS = {Tier.URGENT: "!", Tier.WATCH: "?", Tier.CALM: "✓"}


def percent(probability: float) -> str:
    """A probability as people read it: “62 %”, “< 1 %”, “> 99 %”; never a bare zero or a false certainty."""
    if probability < 0.01:
        return "<\u00a01\u00a0%"
    if probability > 0.99:
        return ">\u00a099\u00a0%"
    return f"{round(probability * 100)}\u00a0%"


def meaning_of(malignant_probability: float) -> str:
    """The malignant probability in people out of a hundred."""
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


def cost_of(tier: Tier, points: OperatingPoints) -> str:
    """What the threshold behind ``tier`` finds, flags and misses, on lesions the network never saw."""
    if tier is Tier.CALM:
        return _(
            "This is not an all-clear: the network wrongly calls %(melanomas)d of 100 melanomas calm, and %(missed)d "
            "of 100 malignant or pre-malignant lesions in all."
        ) % {
            "melanomas": _of_a_hundred(1 - points.watch.melanoma_sensitivity),
            "missed": _of_a_hundred(1 - points.watch.sensitivity),
        }
    point = points.urgent if tier is Tier.URGENT else points.watch
    return _(
        "At this threshold the network finds %(melanomas)d of 100 melanomas and %(found)d of 100 malignant or "
        "pre-malignant lesions in all, and also flags %(flagged)d of 100 harmless ones."
    ) % {
        "melanomas": _of_a_hundred(point.melanoma_sensitivity),
        "found": _of_a_hundred(point.sensitivity),
        "flagged": _of_a_hundred(1 - point.specificity),
    }


def _bar(condition: Condition, probability: float, *, in_set: bool) -> Bar:
    return Bar(
        code=condition.code,
        name=condition_name(condition),
        malignancy=malignancy_name(condition),
        is_malignant=condition.is_malignant,
        probability=probability,
        percent=percent(probability),
        # A sliver stays visible, and the decimal point is a point in every language: this is an HTML attribute.
        value=f"{max(probability, 0.005):.3f}",
        in_set=in_set,
    )


def _set_sentence(codes: Sequence[str], *, ranked: Sequence[str]) -> str:
    """Say what the 90 % set is; and where it passes over a more probable class, why."""
    if not codes:
        return ""
    leading = ranked[0]
    names = ", ".join(condition_name(BY_CODE[code]) for code in codes)
    said = (_("The 90 %% set is %(names)s alone.") if len(codes) == 1 else _("The 90 %% set is %(names)s.")) % {
        "names": names
    }
    promise = _("Whichever of the seven a lesion is, such a set holds it nine times in ten.")
    if set(codes) == set(ranked[: len(codes)]):
        return f"{said} {promise}"
    if leading in codes:
        passed = next(code for code in ranked if code not in codes)
        why = _(
            "%(name)s is not in it although another with fewer per cent is: nine in ten lesions that are this get "
            "more of it than this one does."
        )
        return f"{said} {promise} {why % {'name': condition_name(BY_CODE[passed])}}"
    caveat = _("%(name)s leads because it is more common, but fewer than one in ten of them look like this one.")
    return f"{said} {promise} {caveat % {'name': condition_name(BY_CODE[leading])}}"


def _of_a_hundred(share: float) -> int:
    return round(share * 100)
