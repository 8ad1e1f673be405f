"""What each level of the thresholds would mean: on lesions that the network never saw, and on the clinic's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from diagnosis.assessment.class_mix import masses_as_released
from diagnosis.assessment.threshold_costs import found_and_flagged
from diagnosis.images.models import Prediction
from diagnosis.images.models.answer_settings import URGENT_LEVELS, WATCH_LEVELS
from mlmodel.network.analyser import Analyser
from mlmodel.network.threshold_levels import Level, ThresholdLevels
from mlmodel.releases.sources import source_of
from mlmodel.versions.models import ModelVersion
from patients.models import Clinic

NEWEST_ANSWERS = 500
# Of fewer answers no share is worth looking at.
FEWEST_ANSWERS = 20


@dataclass(frozen=True)
class Option:
    """One level to choose.

    Attributes:
        value: of the form.
        found: what it finds and what it flags, in a sentence.
        here: how many of the clinic's newest answers it would have flagged; empty of too few.
        by_source: what it finds and spares of each source's photographs.
    """

    value: str
    name: str
    found: str
    here: str
    by_source: tuple["OfSource", ...]


@dataclass(frozen=True)
class OfSource:
    """Shares in words, of a source's lesions."""

    source: str
    lesions: int
    found: str
    melanomas: str
    spared: str


@dataclass(frozen=True)
class Options:
    """All there is to choose, and how many of the clinic's answers it was tried on."""

    watch: tuple[Option, ...]
    urgent: tuple[Option, ...]
    answers: int


def options_for(clinic: Clinic, version: ModelVersion, analyser: Analyser, levels: ThresholdLevels) -> Options:
    """Return the levels of ``version``, each tried on the clinic's newest answers of that version.

    Args:
        clinic: whose answers.
        version: the one that answers.
        analyser: of that version, as released.
        levels: of that version.
    """
    newest = (
        Prediction.objects.of_new_photographs()
        .that_could_be_judged()
        .filter(image__visit__patient__clinic=clinic, model_version=version)
        .select_related("answer_settings")
        .newest_first()[:NEWEST_ANSWERS]
    )
    masses = masses_as_released(newest, analyser)
    return Options(
        watch=_options(levels.watch, dict(WATCH_LEVELS), masses),
        urgent=_options(levels.urgent, dict(URGENT_LEVELS), masses),
        answers=len(masses),
    )


def _options(levels: Mapping[Any, Level], names: Mapping[str, Any], masses: Sequence[float]) -> tuple[Option, ...]:
    return tuple(
        Option(
            value=value,
            name=str(name),
            found=found_and_flagged(levels[value].point),
            here=_here(levels[value], masses),
            by_source=tuple(
                OfSource(
                    source=source_of(source).title,
                    lesions=int(shares["lesions"] or 0),
                    found=_share(shares["sensitivity"]),
                    melanomas=_share(shares["melanoma_sensitivity"]),
                    spared=_share(shares["specificity"]),
                )
                for source, shares in levels[value].by_source.items()
            ),
        )
        for value, name in names.items()
        if value in levels
    )


def _here(level: Level, masses: Sequence[float]) -> str:
    if len(masses) < FEWEST_ANSWERS:
        return ""
    count = sum(mass >= level.point.threshold for mass in masses)
    return ngettext(
        "Here it would have flagged %(count)d of the newest %(answers)d photographs.",
        "Here it would have flagged %(count)d of the newest %(answers)d photographs.",
        count,
    ) % {"count": count, "answers": len(masses)}


def _share(share: float | None) -> str:
    return "–" if share is None else _("%(count)d of 100") % {"count": round(share * 100)}
