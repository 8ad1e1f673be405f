"""The parts of a network that retraining changes: head, calibration and operating points."""

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
    """A head with its calibration and operating points."""

    head: Head
    calibration: Calibration
    operating_points: OperatingPoints

    def logits(self, cases: Cases) -> Floats:
        """Return the logits for all photographs, float32 (N, 7)."""
        return logits_of(self.head, cases)

    def answers(self, cases: Cases) -> Answers:
        """Return the answers for all photographs, with their labels."""
        logits = self.logits(cases)
        return Answers(
            probabilities=self.calibration.probabilities(logits),
            scores=self.calibration.equal_prior_scores(logits),
            labels=cases.labels,
            lesions=cases.lesions,
        )

    def answers_by_lesion(self, cases: Cases) -> Answers:
        """Return one row per lesion, the mean over its photographs, in the order of the lesions' names."""
        return by_lesion(self.answers(cases))


def logits_of(head: Head, cases: Cases) -> Floats:
    """Return a head's logits for cases, float32 (N, 7)."""
    rows = range(0, max(len(cases), 1), _ROWS)
    return np.concatenate([head.logits(cases.features[n : n + _ROWS].astype(np.float32)) for n in rows])


def network_of(release_settings: dict[str, Any], head: Head) -> Network:
    """Return the network with a release's settings and head.

    Args:
        release_settings: as in the manifest or a model version.
        head: the loaded head.
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
    """Return the content of a candidate's head file.

    The head's arrays are the candidate's, in half precision. All others, those of the classifiers of the kind of
    photograph, are copied, since the features do not change.

    Args:
        network: the candidate.
        active_head_file: the content of the head file from which it was trained.
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
    """Return the JSON-ready settings of a candidate's release.

    Settings that retraining does not affect are copied. Results on the held-out test set are those that the gate
    measured; others are omitted, since they belong to the shipped head. The lowest values over all sources cannot be
    measured here, so they are copied until the next release, since there is no evidence that the new head is better.

    Args:
        active_settings: the settings of the network from which it was trained.
        network: the candidate.
        judgement: the gate's judgement.
        training: facts on the training: number of cases, start date, run.
        is_unchanged: whether the candidate is the active network, because no better head was found.
    """
    training = {**training, "parent": active_settings.get("training", {})}
    if is_unchanged:
        # The same network would get slightly different results on the base set's rounded features.
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
    """Return the known lowest sensitivities and specificity of a threshold over all sources."""
    return {name: value for name, value in point.items() if name.startswith("least_") and value is not None}


def _levels(levels: dict[str, Any], active_settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a candidate's levels with the previous network's lowest values over all sources."""
    before = active_settings.get(LEVELS_KEY) or {}
    return {
        tier: {name: {**values, **_least_of(before.get(tier, {}).get(name, {}))} for name, values in own.items()}
        for tier, own in levels.items()
    }
