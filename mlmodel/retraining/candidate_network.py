"""All that changes with a retraining: the head, how its answers are read, and where the tiers begin."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlmodel.metrics.performance import Answers, by_lesion
from mlmodel.network.calibration import Calibration, as_settings, in_order
from mlmodel.network.head import Floats, Head
from mlmodel.network.threshold_levels import LEVELS_KEY
from mlmodel.network.tiers import OperatingPoints, stored_threshold
from mlmodel.retraining.base_set import Cases

if TYPE_CHECKING:
    from mlmodel.retraining.verdicts import Judgement

_ROWS = 512


@dataclass(frozen=True)
class Network:
    """A head, and how it is read."""

    head: Head
    calibration: Calibration
    operating_points: OperatingPoints

    def logits(self, cases: Cases) -> Floats:
        """Return the logits of all photographs, float32 (N, 7)."""
        return logits_of(self.head, cases)

    def answers(self, cases: Cases) -> Answers:
        """Return what is said of each photograph, beside the truth."""
        logits = self.logits(cases)
        return Answers(
            probabilities=self.calibration.probabilities(logits),
            scores=self.calibration.equal_prior_scores(logits),
            labels=cases.labels,
            lesions=cases.lesions,
        )

    def answers_by_lesion(self, cases: Cases) -> Answers:
        """Return one row a lesion, the mean over its photographs, in the order of the lesions' names."""
        return by_lesion(self.answers(cases))


def logits_of(head: Head, cases: Cases) -> Floats:
    """Return what a head makes of cases, float32 (N, 7)."""
    rows = range(0, max(len(cases), 1), _ROWS)
    return np.concatenate([head.logits(cases.features[n : n + _ROWS].astype(np.float32)) for n in rows])


def network_of(release_settings: dict[str, Any], head: Head) -> Network:
    """Return the network that a release's settings and its head make.

    Args:
        release_settings: as the manifest, or a model version, holds them.
        head: as it was loaded.
    """
    return Network(
        head=head,
        calibration=Calibration(
            temperature=release_settings["temperature"],
            class_mix=in_order(release_settings["class_mix"]),
            set_thresholds=in_order(release_settings["set_thresholds"]),
        ),
        operating_points=OperatingPoints.from_settings(release_settings["operating_points"]),
    )


def package_head(network: Network, active_head_file: bytes) -> bytes:
    """Return what is in the head's file of a candidate.

    The head's arrays are the candidate's, in half precision; all others, those of the judges of a photograph's kind,
    are carried over: they read features, which stay what they were.

    Args:
        network: the candidate.
        active_head_file: what is in the file of the head it was trained from.
    """
    with np.load(io.BytesIO(active_head_file), allow_pickle=False) as active:
        arrays: dict[str, Any] = {name: active[name] for name in active.files}
    arrays |= {name: values.astype(np.float16) for name, values in vars(network.head).items()}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def candidate_settings(
    active_settings: dict[str, Any],
    network: Network,
    judgement: "Judgement",
    training: dict[str, Any],
    *,
    is_unchanged: bool = False,
) -> dict[str, Any]:
    """Return the settings of a candidate's release, JSON-able.

    What retraining does not touch is carried over. Of the locked test's figures, those that the gate measured are new
    and the others, which were the shipped head's, are left out: a figure never describes another network. The
    lowest shares over all sources cannot be measured here, so they are kept until a release measures them again:
    nothing shows that a new head does better there.

    Args:
        active_settings: of the network it was trained from.
        network: the candidate.
        judgement: what the gate said of it.
        training: what is to be said of the training: how many cases, since when, by which run.
        is_unchanged: the candidate is the active network, since nothing better was found.
    """
    training = {**training, "parent": active_settings.get("training", {})}
    if is_unchanged:
        # Measured again on the base set's rounded features, the same network would claim slightly other figures.
        return {**active_settings, "training": training}
    calibration = network.calibration
    own = {"locked_test", "training", LEVELS_KEY, "by_source"}
    carried = {name: value for name, value in active_settings.items() if name not in own}
    return {
        **carried,
        "temperature": round(calibration.temperature, 6),
        "class_mix": as_settings(calibration.class_mix),
        "set_thresholds": as_settings(calibration.set_thresholds),
        "operating_points": {
            tier: {
                "threshold": stored_threshold(point.threshold),
                **judgement.operating_points[tier],
                **_least_of(active_settings["operating_points"][tier]),
            }
            for tier, point in (("urgent", network.operating_points.urgent), ("watch", network.operating_points.watch))
        },
        "locked_test": {"lesions": judgement.base.candidate_figures()},
        **({LEVELS_KEY: _levels(judgement.threshold_levels, active_settings)} if judgement.threshold_levels else {}),
        "training": training,
    }


def _least_of(point: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a threshold finds and spares where the network does worst, as far as it is known."""
    return {name: value for name, value in point.items() if name.startswith("least_") and value is not None}


def _levels(levels: dict[str, Any], active_settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a candidate's levels with what those of the network before it find where that does worst."""
    before = active_settings.get(LEVELS_KEY) or {}
    return {
        tier: {name: {**values, **_least_of(before.get(tier, {}).get(name, {}))} for name, values in own.items()}
        for tier, own in levels.items()
    }
