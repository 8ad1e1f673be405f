"""What a head learns from: which cases are drawn how often, and what each is to be answered."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlmodel.metrics.calibration_rules import lesion_weights
from mlmodel.network.calibration import softmax
from mlmodel.network.head import Floats, Head
from mlmodel.retraining.base_set import Cases, joined
from mlmodel.taxonomy import CODES

_K = len(CODES)
# The share, in the mix of new cases, of each class that is not among them: naming it there must cost something.
_UNSEEN_SHARE = 0.05
# New cases are drawn by their number, and never more often than the replay.
_MOST_NEW = 0.5
_ROWS = 512


@dataclass(frozen=True)
class TrainingMix:
    """N cases, and how they are taught.

    Attributes:
        cases: in the order of all that follows.
        shares: float64 (N,), how likely each is drawn; sums to 1.
        log_mixes: float32 (N, 7), logarithm of the class mix that each is drawn in.
        targets: float32 (N, 7), the probabilities to be answered in that mix; rows sum to 1.
    """

    cases: Cases
    shares: npt.NDArray[np.float64]
    log_mixes: Floats
    targets: Floats


def from_one_source(cases: Cases, *, evenness: float) -> TrainingMix:
    """Return cases that are drawn together, in one class mix, and are to be answered as they are labelled."""
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
    """Return new cases beside the replay, each in the class mix of its own source.

    A replayed case is to be answered as the active head answers it (Li & Hoiem, Learning without forgetting, TPAMI
    40:2935, 2018): so the head may learn another clinic's look without turning over what it says at home.

    Args:
        replay: of the base set.
        new: at least one case.
        active: the head that answers now.
        log_mix: float32 (7,), logarithm of the class mix that the head's logits hold.
        evenness: of the new cases, see ``drawing_shares``.
        replay_evenness: of the replay.
        remembered: of what a replayed case is to be answered, the active head's share; the rest is its label's.
    """
    own, own_mix = drawing_shares(new, lesion_weights(new.lesions), evenness)
    known, known_mix = drawing_shares(replay, lesion_weights(replay.lesions), replay_evenness)
    is_new = np.bincount(new.labels, minlength=_K) > 0
    mix = np.where(is_new, np.exp(own_mix) * (1 - _UNSEEN_SHARE * (~is_new).sum()), _UNSEEN_SHARE)
    share = min(len(new) / (len(new) + len(replay)), _MOST_NEW)
    answers = np.concatenate(
        [
            active.logits(replay.features[start : start + _ROWS].astype(np.float32))
            for start in range(0, len(replay), _ROWS)
        ]
    )
    told = remembered * softmax(answers - log_mix + known_mix) + (1 - remembered) * _labels_of(replay)
    return TrainingMix(
        cases=joined(replay, new),
        shares=np.concatenate([known * (1 - share), own * share]),
        log_mixes=np.repeat(np.array([known_mix, np.log(mix)], dtype=np.float32), [len(replay), len(new)], axis=0),
        targets=np.concatenate([told.astype(np.float32), _labels_of(new)]),
    )


def _labels_of(cases: Cases) -> Floats:
    return np.eye(_K, dtype=np.float32)[cases.labels]


def drawing_shares(cases: Cases, weights: Floats, evenness: float) -> tuple[npt.NDArray[np.float64], Floats]:
    """Return how likely each case is drawn, float64 (N,), and the log of the class mix that comes of it, (7,).

    Args:
        cases: to draw from.
        weights: float32 (N,), how much each counts within its class.
        evenness: 0 draws every lesion alike, 1 every class alike; in between, by that power.
    """
    mass = np.bincount(cases.labels, weights=weights, minlength=_K)
    drawn = np.where(mass > 0, np.maximum(mass, 1e-12) ** (1 - evenness), 0.0)
    drawn /= drawn.sum()
    shares = weights * (drawn / np.maximum(mass, 1e-12))[cases.labels]
    # A class without cases is not drawn, and its floor keeps the loss from pushing it down.
    return shares / shares.sum(), np.log(np.maximum(drawn, 1e-4)).astype(np.float32)
