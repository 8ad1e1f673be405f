"""ROC, precision–recall and reliability curves for the report."""

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
        scores: float (N,), higher for positives.
        is_positive: bool (N,), with at least one of each.
    """
    hits, alarms, _ = _counts(scores, is_positive)
    start = np.zeros(1)
    rates = np.concatenate([start, alarms / alarms[-1]]), np.concatenate([start, hits / hits[-1]])
    return rates[0].astype(np.float32), rates[1].astype(np.float32)


def precision_recall_curve(scores: Floats, is_positive: Booleans) -> tuple[Floats, Floats, float]:
    """Return recalls from 0 to 1, precisions, and the average precision without interpolation."""
    hits, _, flagged = _counts(scores, is_positive)
    precisions, recalls = hits / flagged, hits / hits[-1]
    average = float((np.diff(recalls, prepend=0.0) * precisions).sum())
    start = np.concatenate([np.zeros(1), recalls]), np.concatenate([precisions[:1], precisions])
    return start[0].astype(np.float32), start[1].astype(np.float32), average


def reliability(answers: Answers) -> list[dict[str, float]]:
    """Return counts, mean confidence and accuracy in 15 equal-width bins of the confidence.

    The interval of the accuracy is Wilson's (1927), which is valid for small counts and shares near 0 and 1.
    """
    confidence = answers.probabilities.max(axis=1)
    is_right = answers.probabilities.argmax(axis=1) == answers.labels
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    result = []
    for index in np.unique(bins):
        rows = bins == index
        low, high = wilson(int(is_right[rows].sum()), int(rows.sum()))
        result.append(
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
    return result


def curves_of(answers: Answers, scores: Floats, is_positive: Booleans) -> dict[str, Any] | None:
    """Return both curves, thinned for drawing, or None unless there are both positives and negatives."""
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
    """Return true positives, false positives and all positives at each distinct score, in descending order."""
    order = np.argsort(-scores, kind="stable")
    is_last = np.append(np.diff(scores[order]) != 0, True)
    hits = np.cumsum(is_positive[order])[is_last]
    flagged = (np.arange(len(scores)) + 1)[is_last]
    return hits, flagged - hits, flagged


def _thinned(x: Floats, y: Floats) -> list[list[float]]:
    """Return about 120 points at even distances along the curve, including both ends."""
    steps = np.append(0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    positions = np.linspace(0, steps[-1], _POINTS)
    indices = np.unique(np.searchsorted(steps, positions).clip(0, len(x) - 1))
    return [[round(float(x[index]), 4), round(float(y[index]), 4)] for index in indices]
