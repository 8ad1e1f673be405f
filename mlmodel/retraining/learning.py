"""Train a candidate: the active head goes on learning, from the new cases and from what it must not forget."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mlmodel.calibration import softmax
from mlmodel.head import Floats, Head
from mlmodel.retraining.base_set import BaseSet, Cases
from mlmodel.retraining.calibrating import calibrated, lesion_weights
from mlmodel.retraining.network import Network

_STEPS = 200
_RATE = 0.5


def train_candidate(
    *, active: Network, base: BaseSet, learned: Cases, seed: int, progress: Callable[[float, str], None]
) -> Network:
    """Return a candidate: a head trained on the new cases beside the base set's replay, calibrated anew.

    Args:
        active: the network that answers now; its head is the start.
        base: of the release whose backbone made the features.
        learned: confirmed cases, none of them of a locked test.
        seed: of all chance.
        progress: is told the share done, in [0, 1], and what is being done.
    """
    progress(0.0, "Preparing the cases")
    cases = Cases(
        np.concatenate([base.replay.features, learned.features]),
        np.concatenate([base.replay.labels, learned.labels]),
        np.concatenate([base.replay.lesions, learned.lesions]),
    )
    progress(0.2, "Training the head")
    head = _trained(active.head, cases, active.calibration.class_mix)
    progress(0.9, "Calibrating")
    network = calibrated(head, class_mix=active.calibration.class_mix, cases=base.calibration)
    progress(1.0, "Trained")
    return network


def _trained(head: Head, cases: Cases, class_mix: Floats) -> Head:
    hidden = np.maximum(cases.features.astype(np.float32) @ head.hidden_weights + head.hidden_bias, 0.0)
    weights = lesion_weights(cases)
    weights /= np.bincount(cases.labels, weights=weights, minlength=7)[cases.labels].astype(np.float32)
    weights /= weights.sum()
    scale = np.float32(1.0 / np.maximum(np.square(hidden).sum(axis=1).max(), 1.0))
    output, bias = head.output_weights.copy(), head.output_bias - np.log(class_mix)
    targets = np.eye(7, dtype=np.float32)[cases.labels]
    for _ in range(_STEPS):
        gradient = (softmax(hidden @ output + bias) - targets) * weights[:, None]
        output -= _RATE * scale * (hidden.T @ gradient)
        bias -= _RATE * scale * gradient.sum(axis=0)
    found = replace(head, output_weights=output, output_bias=(bias + np.log(class_mix)).astype(np.float32))
    return Head(**{name: values.astype(np.float16).astype(np.float32) for name, values in vars(found).items()})
