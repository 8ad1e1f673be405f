"""What each threshold level would mean, on lesions the network never saw and on the clinic's own photographs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import ngettext

from diagnosis.assessment.by_source import OfSource, by_source
from diagnosis.assessment.class_mix import malignant_probabilities_as_released
from diagnosis.assessment.threshold_costs import found_and_flagged
from diagnosis.images.models import Prediction
from diagnosis.images.models.answer_settings import URGENT_LEVELS, WATCH_LEVELS
from mlmodel.network.analyser import Analyser
from mlmodel.network.threshold_levels import Level, ThresholdLevels, WatchLevel
from mlmodel.versions.models import ModelVersion
from patients.models import Clinic, is_at_a_visit_in_use

NEWEST_ANSWERS = 500
# With fewer answers a share is not informative.
FEWEST_ANSWERS = 20


@dataclass(frozen=True)
class Option:
    """One level to choose.

    Attributes:
        value: of the form field.
        found: a sentence on what it finds and flags.
        is_as_released: whether this version's threshold is the same as the released one.
        here: how many of the clinic's newest answers it would have flagged; empty with too few answers.
        by_source: sensitivity and specificity on each source's photographs.
    """

    value: str
    name: str
    found: str
    is_as_released: bool
    here: str
    by_source: tuple[OfSource, ...]


@dataclass(frozen=True)
class Options:
    """The levels to choose from, and how many of the clinic's answers they were applied to."""

    watch: tuple[Option, ...]
    urgent: tuple[Option, ...]
    answers: int


def options_for(clinic: Clinic, version: ModelVersion, analyser: Analyser, levels: ThresholdLevels) -> Options:
    """Return the levels of ``version``, each applied to the clinic's newest answers of that version.

    Args:
        clinic: whose answers are used.
        version: the active one.
        analyser: of that version, as released.
        levels: of that version.
    """
    newest = (
        Prediction.objects.of_new_photographs()
        .that_could_be_judged()
        .filter(is_at_a_visit_in_use("image__visit", patient__clinic=clinic), model_version=version)
        .select_related("answer_settings")
        .newest_first()[:NEWEST_ANSWERS]
    )
    probabilities = malignant_probabilities_as_released(newest, analyser)
    return Options(
        watch=_options(levels.watch, dict(WATCH_LEVELS), probabilities),
        urgent=_options(levels.urgent, dict(URGENT_LEVELS), probabilities),
        answers=len(probabilities),
    )


def _options(
    levels: Mapping[Any, Level], names: Mapping[str, Any], probabilities: Sequence[float]
) -> tuple[Option, ...]:
    # Both tiers call it by the same name.
    released = levels[WatchLevel.RELEASED]
    return tuple(
        Option(
            value=value,
            name=str(name),
            found=found_and_flagged(levels[value].point),
            is_as_released=levels[value] is not released and levels[value].point.threshold == released.point.threshold,
            here=_here(levels[value], probabilities),
            by_source=by_source(levels[value]),
        )
        for value, name in names.items()
        if value in levels
    )


def _here(level: Level, probabilities: Sequence[float]) -> str:
    if len(probabilities) < FEWEST_ANSWERS:
        return ""
    count = sum(probability >= level.point.threshold for probability in probabilities)
    return ngettext(
        "Here it would have flagged %(count)d of the newest %(answers)d photographs.",
        "Here it would have flagged %(count)d of the newest %(answers)d photographs.",
        count,
    ) % {"count": count, "answers": len(probabilities)}
