"""Where the two tiers may begin: as released, or at the few other levels that a release states the cost of.

A clinic chooses a level and not a number, so that its choice means the same with every version that answers later.
``training/levels.py`` finds the thresholds of the levels.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from mlmodel.network.tiers import OperatingPoint, OperatingPoints

LEVELS_KEY = "threshold_levels"


class WatchLevel(StrEnum):
    """How many malignant lesions “watch” is to find: never fewer than the release promises."""

    RELEASED = "released"
    MORE = "more"
    MOST = "most"


class UrgentLevel(StrEnum):
    """How many lesions are to be called urgent. What is not urgent any more is still “watch”."""

    FEWER = "fewer"
    RELEASED = "released"
    MORE = "more"


@dataclass(frozen=True)
class Level:
    """A threshold and its costs: on the photographs of ``OperatingPoint``, and on each source's locked test by lesion.

    Attributes:
        by_source: of each source, shares by ``sensitivity``, ``melanoma_sensitivity`` and ``specificity``, and
            ``lesions``; None for a share of too few lesions. Empty where only the release's own test is known.
    """

    point: OperatingPoint
    by_source: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class ThresholdLevels:
    """The levels of a model version, the released ones included."""

    watch: Mapping[WatchLevel, Level]
    urgent: Mapping[UrgentLevel, Level]

    def points(self, watch: WatchLevel, urgent: UrgentLevel) -> OperatingPoints:
        """Return the two thresholds; where “urgent” would begin below “watch”, it begins with it."""
        low, high = self.watch[watch].point, self.urgent[urgent].point
        return OperatingPoints(urgent=high if high.threshold >= low.threshold else low, watch=low)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "ThresholdLevels | None":
        """Read what a release's settings hold; None of a release that states no levels."""
        found = settings.get(LEVELS_KEY)
        if not found:
            return None
        return cls(
            watch={WatchLevel(name): _level(values) for name, values in found["watch"].items()},
            urgent={UrgentLevel(name): _level(values) for name, values in found["urgent"].items()},
        )

    def as_settings(self) -> dict[str, Any]:
        """Return it as ``from_settings`` reads it."""
        tiers: tuple[Mapping[Any, Level], ...] = (self.watch, self.urgent)
        return {
            tier: {
                str(name): {**asdict(level.point), "by_source": dict(level.by_source)}
                for name, level in levels.items()
            }
            for tier, levels in zip(("watch", "urgent"), tiers, strict=True)
        }


def _level(values: Mapping[str, Any]) -> Level:
    costs = dict(values)
    by_source = costs.pop("by_source", {})
    return Level(OperatingPoint(**costs), by_source)
