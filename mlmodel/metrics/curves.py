"""The curves of the report: ROC, precision and recall, reliability."""

from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.metrics.performance import CALIBRATION_BINS, Answers, auc
from mlmodel.network.head import Floats

_POINTS = 120

Booleans = npt.NDArray[np.bool_]


def roc_curve(scores: Floats, is_positive: Booleans) -> tuple[Floats, Floats]:
    """Return false and true positive rates at every distinct score, both from 0 to 1 (Fawcett, 2006).

    Args:
        scores: float (N,), higher for the positive.
        is_positive: bool (N,), at least one of each.
    """
    hits, alarms, _ = _counts(scores, is_positive)
    start = np.zeros(1)
    rates = np.concatenate([start, alarms / alarms[-1]]), np.concatenate([start, hits / hits[-1]])
    return rates[0].astype(np.float32), rates[1].astype(np.float32)


def precision_recall_curve(scores: Floats, is_positive: Booleans) -> tuple[Floats, Floats, float]:
    """Return recalls from 0 to 1, precisions, and the average precision: the steps' area, not interpolated."""
    hits, _, flagged = _counts(scores, is_positive)
    precisions, recalls = hits / flagged, hits / hits[-1]
    average = float((np.diff(recalls, prepend=0.0) * precisions).sum())
    start = np.concatenate([np.zeros(1), recalls]), np.concatenate([precisions[:1], precisions])
    return start[0].astype(np.float32), start[1].astype(np.float32), average


def reliability(answers: Answers) -> list[dict[str, float]]:
    """Return the 15 bins of equal width of the confidence: how many, how sure, how often right.

    The interval of the share that was right is Wilson's (1927), which holds for few and for shares near 0 and 1.
    """
    confidence = answers.probabilities.max(axis=1)
    is_right = answers.probabilities.argmax(axis=1) == answers.labels
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    found = []
    for index in np.unique(bins):
        rows = bins == index
        low, high = wilson(int(is_right[rows].sum()), int(rows.sum()))
        found.append(
            {
                "from": round(index / CALIBRATION_BINS, 4),
                "to": round((index + 1) / CALIBRATION_BINS, 4),
                "count": int(rows.sum()),
                "confidence": round(float(confidence[rows].mean()), 4),
                "accuracy": round(float(is_right[rows].mean()), 4),
                "low": low,
                "high": high,
            }
        )
    return found


def curves_of(answers: Answers, scores: Floats, is_positive: Booleans) -> dict[str, Any] | None:
    """Return both curves, thinned for drawing; None if there are not both kinds."""
    if not 0 < is_positive.sum() < len(is_positive):
        return None
    false_rate, true_rate = roc_curve(scores, is_positive)
    recall, precision, average = precision_recall_curve(scores, is_positive)
    return {
        "positives": int(is_positive.sum()),
        "negatives": int((~is_positive).sum()),
        "auc": round(auc(scores, is_positive), 6),
        "average_precision": round(average, 6),
        "roc": _thinned(false_rate, true_rate),
        "precision_recall": _thinned(recall, precision),
    }


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    z = 1.959964
    share = hits / count
    middle = share + z * z / (2 * count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return round(max(0.0, (middle - half) / scale), 4), round(min(1.0, (middle + half) / scale), 4)


def _counts(scores: Floats, is_positive: Booleans) -> tuple[Floats, Floats, Floats]:
    """Return true alarms, false alarms and all alarms at each distinct score, from the highest down."""
    order = np.argsort(-scores, kind="stable")
    is_last = np.append(np.diff(scores[order]) != 0, True)
    hits = np.cumsum(is_positive[order])[is_last]
    flagged = (np.arange(len(scores)) + 1)[is_last]
    return hits, flagged - hits, flagged


def _thinned(x: Floats, y: Floats) -> list[list[float]]:
    """Keep about 120 points, evenly along the curve's length, and both ends."""
    steps = np.append(0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    wanted = np.linspace(0, steps[-1], _POINTS)
    kept = np.unique(np.searchsorted(steps, wanted).clip(0, len(x) - 1))
    return [[round(float(x[index]), 4), round(float(y[index]), 4)] for index in kept]
