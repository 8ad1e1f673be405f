"""Two networks with known answers: features 0–6 are the logits of one, 7–13 those of the other."""

from collections.abc import Sequence

import numpy as np

from mlmodel.network.calibration import Calibration
from mlmodel.network.head import Head
from mlmodel.network.tiers import OperatingPoint, OperatingPoints
from mlmodel.retraining import BaseSet, Cases, Network
from mlmodel.taxonomy import CODES

EVEN = np.full(7, 1 / 7, dtype=np.float32)
# So sure is a staged network of what it says; it is right as often in what `rows_of` stages, unless a test says else.
SURE = 0.9
_LOGIT = float(np.log(SURE / ((1 - SURE) / 6)))


def network(part: int) -> Network:
    """Return the network that reads features 7 × part to 7 × part + 6."""
    reading = np.zeros((14, 7), dtype=np.float32)
    reading[7 * part + np.arange(7), np.arange(7)] = 1.0
    head = Head(reading, np.zeros(7, np.float32), np.eye(7, dtype=np.float32) * _LOGIT, np.zeros(7, np.float32))
    point = OperatingPoint(threshold=0.5, sensitivity=0.0, melanoma_sensitivity=0.0, specificity=0.0)
    return Network(head, Calibration(1.0, EVEN, EVEN), OperatingPoints(urgent=point, watch=point))


ACTIVE, CANDIDATE = network(0), network(1)


def cases(rows: Sequence[tuple[str, str, str]], *, name: str = "lesion", times: int = 1) -> Cases:
    """Return cases from rows of truth, what the active network says, what the candidate says; each its own lesion."""
    rows = list(rows) * times
    features = np.zeros((len(rows), 14), dtype=np.float16)
    for number, (_, old, new) in enumerate(rows):
        features[number, CODES.index(old)] = features[number, 7 + CODES.index(new)] = 1.0
    labels = np.array([CODES.index(truth) for truth, _, _ in rows], dtype=np.int64)
    return Cases(features, labels, np.array([f"{name}-{number}" for number in range(len(rows))]))


def rows_of(
    wrong_before: int, wrong_now: int, *, of: int = 100, codes: Sequence[str] = CODES
) -> list[tuple[str, str, str]]:
    """Return ``of`` lesions of each class, of which so many are called something else, the same ones first."""
    rows = []
    for code in codes:
        other = "bkl" if code == "nv" else "nv"
        for number in range(of):
            rows.append((code, other if number < wrong_before else code, other if number < wrong_now else code))
    return rows


def base_of(locked: Cases) -> BaseSet:
    return BaseSet(backbone_sha256="b" * 64, replay=locked, calibration=locked, locked=locked)
