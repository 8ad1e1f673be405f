"""Sampling weights and targets of the cases for training a head."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlmodel.metrics.calibration_rules import lesion_weights
from mlmodel.network.calibration import softmax
from mlmodel.network.head import Floats, Head
from mlmodel.retraining.base_set import Cases, joined
from mlmodel.taxonomy import CODES

_K = len(CODES)
# The prior, among new cases, of each class that is absent, so that predicting it has a cost.
_UNSEEN_SHARE = 0.05
# New cases are sampled in proportion to their number, but never more often than the replay.
_MOST_NEW = 0.5
_ROWS = 512


@dataclass(frozen=True)
class TrainingMix:
    """N cases with their sampling weights and targets.

    Attributes:
        cases: the cases, in the order of the other attributes.
        shares: float64 (N,), the sampling probabilities; sum to 1.
        log_mixes: float32 (N, 7), the log class priors of the source from which each is sampled.
        targets: float32 (N, 7), the target probabilities at these priors; rows sum to 1.
    """

    cases: Cases
    shares: npt.NDArray[np.float64]
    log_mixes: Floats
    targets: Floats


def from_one_source(cases: Cases, *, evenness: float) -> TrainingMix:
    """Return cases from one source with a single class mix and their labels as targets."""
    shares, log_drawn = drawing_shares(cases, lesion_weights(cases.lesions), evenness)
    return TrainingMix(cases, shares, np.tile(log_drawn, (len(cases), 1)), _labels_of(cases))


def mixed_with_replay(
    replay: Cases,
    new: Cases,
    *,
    active: Head,
    log_mix: Floats,
    evenness: float,
    replay_evenness: float,
    remembered: float,
) -> TrainingMix:
    """Return new cases and the replay, each with the class mix of its own source.

    The targets of the replay are the active head's answers (Li & Hoiem, Learning without forgetting, TPAMI 40:2935,
    2018), so that the head adapts to the clinic's photographs without changing its answers for the base set.

    Args:
        replay: the replay of the base set.
        new: at least one case.
        active: the active head.
        log_mix: float32 (7,), the log class priors included in the head's logits.
        evenness: for the new cases, see ``drawing_shares``.
        replay_evenness: for the replay.
        remembered: the weight of the active head's answer in the target of a replayed case; the rest is its label.
    """
    own, own_mix = drawing_shares(new, lesion_weights(new.lesions), evenness)
    replay_shares, replay_mix = drawing_shares(replay, lesion_weights(replay.lesions), replay_evenness)
    is_new = np.bincount(new.labels, minlength=_K) > 0
    mix = np.where(is_new, np.exp(own_mix) * (1 - _UNSEEN_SHARE * (~is_new).sum()), _UNSEEN_SHARE)
    share = min(len(new) / (len(new) + len(replay)), _MOST_NEW)
    answers = np.concatenate(
        [
            active.logits(replay.features[start : start + _ROWS].astype(np.float32))
            for start in range(0, len(replay), _ROWS)
        ]
    )
    replay_targets = remembered * softmax(answers - log_mix + replay_mix) + (1 - remembered) * _labels_of(replay)
    return TrainingMix(
        cases=joined(replay, new),
        shares=np.concatenate([replay_shares * (1 - share), own * share]),
        log_mixes=np.repeat(np.array([replay_mix, np.log(mix)], dtype=np.float32), [len(replay), len(new)], axis=0),
        targets=np.concatenate([replay_targets.astype(np.float32), _labels_of(new)]),
    )


def _labels_of(cases: Cases) -> Floats:
    return np.eye(_K, dtype=np.float32)[cases.labels]


def drawing_shares(cases: Cases, weights: Floats, evenness: float) -> tuple[npt.NDArray[np.float64], Floats]:
    """Return the sampling probabilities of the cases, float64 (N,), and the resulting log class priors, (7,).

    Args:
        cases: the cases to sample from.
        weights: float32 (N,), the weight of each within its class.
        evenness: 0 weights every lesion equally, 1 every class; values in between are exponents.
    """
    class_weights = np.bincount(cases.labels, weights=weights, minlength=_K)
    class_shares = np.where(class_weights > 0, np.maximum(class_weights, 1e-12) ** (1 - evenness), 0.0)
    class_shares /= class_shares.sum()
    shares = weights * (class_shares / np.maximum(class_weights, 1e-12))[cases.labels]
    # A class without cases is not sampled; the floor keeps the loss from suppressing it.
    return shares / shares.sum(), np.log(np.maximum(class_shares, 1e-4)).astype(np.float32)
