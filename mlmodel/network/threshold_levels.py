"""Threshold levels: the released thresholds of the two tiers, and a few others whose performance a release states.

A clinic chooses a level instead of a number, so that its choice has the same meaning for every later version.
``metrics/level_rules.py`` determines the thresholds.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from mlmodel.network.tiers import OperatingPoint, OperatingPoints

LEVELS_KEY = "threshold_levels"


class WatchLevel(StrEnum):
    """The sensitivity of “watch” for malignant lesions.

    As released it has its targets at every source of photographs; with ``FEWER``, over all sources together.
    """

    FEWER = "fewer"
    RELEASED = "released"
    MORE = "more"
    MOST = "most"


class UrgentLevel(StrEnum):
    """How many lesions are “urgent”. Those that no longer are remain “watch”."""

    FEWER = "fewer"
    RELEASED = "released"
    MORE = "more"


@dataclass(frozen=True)
class Level:
    """A threshold with its performance, overall and by lesion on each source's held-out test set.

    Attributes:
        point: the threshold and its performance on the photographs of ``OperatingPoint``.
        by_source: for each source ``sensitivity``, ``melanoma_sensitivity``, ``specificity`` and ``lesions``; a share
            is None if there are too few lesions. Empty if only the release's own test set is known.
    """

    point: OperatingPoint
    by_source: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class ThresholdLevels:
    """The levels of a model version, including the released ones."""

    watch: Mapping[WatchLevel, Level]
    urgent: Mapping[UrgentLevel, Level]

    def points(self, watch: WatchLevel, urgent: UrgentLevel) -> OperatingPoints:
        """Return the two thresholds; “urgent” is never below “watch”. An older version may lack a level."""
        low = self.watch.get(watch, self.watch[WatchLevel.RELEASED]).point
        high = self.urgent[urgent].point
        return OperatingPoints(urgent=high if high.threshold >= low.threshold else low, watch=low)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "ThresholdLevels | None":
        """Return the levels in a release's settings, or None if there are none."""
        stored = settings.get(LEVELS_KEY)
        if not stored:
            return None
        return cls(
            watch={WatchLevel(name): _level(values) for name, values in stored["watch"].items()},
            urgent={UrgentLevel(name): _level(values) for name, values in stored["urgent"].items()},
        )

    def as_settings(self) -> dict[str, Any]:
        """Return the levels in the format of ``from_settings``."""
        tiers: tuple[Mapping[Any, Level], ...] = (self.watch, self.urgent)
        return {
            tier: {
                str(name): {**asdict(level.point), "by_source": dict(level.by_source)}
                for name, level in levels.items()
            }
            for tier, levels in zip(("watch", "urgent"), tiers, strict=True)
        }


def _level(values: Mapping[str, Any]) -> Level:
    performance = dict(values)
    by_source = performance.pop("by_source", {})
    return Level(OperatingPoint(**performance), by_source)
