"""Fitting of the two classifiers of the kind of photograph: skin lesion or not, and smartphone or dermatoscope."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlmodel.metrics.performance import auc
from mlmodel.network.in_domain import PhotographClassifier

Features = npt.NDArray[np.float16]

_REGULARISATION = 0.003
_FOLDS = 5
# At most 1 in 200 good dermatoscopic photographs may be refused; the quality check refuses 3 in 1,000 of them.
REFUSED_AT_MOST = 1 / 500
_LEAST_SURE = 0.5


@dataclass(frozen=True)
class ClassifierFit:
    """A classifier with its metrics on photographs not used for training, as texts for the model card."""

    classifier: PhotographClassifier
    figures: dict[str, str]


def fit_in_domain(
    *, lesions: Features, others: Features, others_copies: Sequence[Features], chosen: Features, locked: Features
) -> ClassifierFit:
    """Return the in-domain classifier, fitted with equal weight for both classes.

    Args:
        lesions: float16 (N, F), training photographs that must be accepted.
        others: float16 (M, F), photographs that must be refused.
        others_copies: each float16 (M, F), augmented copies of those, in the same order; used for training together
            with their original and never for its evaluation.
        chosen: float16 (K, F), the calibration fold; the threshold refuses at most ``REFUSED_AT_MOST`` of them.
        locked: float16 (L, F), the held-out test set.
    """
    classifier = _fit(lesions, np.concatenate([others, *others_copies]))
    threshold = min(
        _LEAST_SURE, float(np.quantile(_probabilities(classifier, chosen), REFUSED_AT_MOST, method="lower"))
    )
    classifier = PhotographClassifier(classifier.weights, classifier.bias, threshold)
    held_out = _held_out(others, lesions, others_copies)
    accepted, tuned = _probabilities(classifier, locked), _probabilities(classifier, chosen)
    return ClassifierFit(
        classifier,
        {
            "AUC, dermatoscopic test photographs against everyday ones": f"{_auc(accepted, held_out):.4f}",
            f"Dermatoscopic photographs wrongly refused, held-out test set ({len(locked):,})": _share(
                accepted < threshold
            ),
            f"Dermatoscopic photographs wrongly refused, fold 7 ({len(chosen):,})": _share(tuned < threshold),
            f"Everyday photographs correctly refused ({len(others):,}, cross-validated)": _share(held_out < threshold),
        },
    )


def fit_smartphone(
    *, dermatoscopic: Features, smartphone: Features, chosen: Features, locked: Features
) -> ClassifierFit:
    """Return the classifier of smartphone photographs without a dermatoscope, which are answered and marked.

    Args:
        dermatoscopic: float16 (N, F), training photographs.
        smartphone: float16 (M, F), training photographs.
        chosen: float16 (K, F), the calibration fold; at most ``REFUSED_AT_MOST`` of them are taken for smartphone
            photographs.
        locked: float16 (L, F), the held-out test set.
    """
    classifier = _fit(smartphone, dermatoscopic)
    highest = float(np.quantile(_probabilities(classifier, chosen), 1 - REFUSED_AT_MOST, method="higher"))
    classifier = PhotographClassifier(classifier.weights, classifier.bias, min(max(_LEAST_SURE, highest + 1e-6), 1.0))
    held_out = _held_out(smartphone, dermatoscopic, ())
    recognised = 1.0 - held_out
    test_probabilities = _probabilities(classifier, locked)
    return ClassifierFit(
        classifier,
        {
            "AUC, smartphone against dermatoscopic test photographs": f"{_auc(recognised, test_probabilities):.4f}",
            f"Smartphone photographs recognised ({len(smartphone):,}, cross-validated)": _share(
                recognised >= classifier.threshold
            ),
            f"Dermatoscopic photographs taken for smartphone photographs, test set ({len(locked):,})": _share(
                test_probabilities >= classifier.threshold
            ),
        },
    )


def _share(rows: npt.NDArray[np.bool_]) -> str:
    return f"{rows.mean():.2%}"


def _auc(positives: npt.NDArray[np.float32], negatives: npt.NDArray[np.float32]) -> float:
    scores = np.concatenate([positives, negatives])
    return auc(scores, np.arange(len(scores)) < len(positives))


def _probabilities(classifier: PhotographClassifier, features: Features) -> npt.NDArray[np.float32]:
    return np.array([classifier.probability(row.astype(np.float32)) for row in features], dtype=np.float32)


def _held_out(rare: Features, common: Features, copies: Sequence[Features]) -> npt.NDArray[np.float32]:
    """Return the cross-validated probability of being ``common`` for each of ``rare``."""
    probabilities = np.empty(len(rare), dtype=np.float32)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0).split(rare, np.zeros(len(rare)))
    for train, test in folds:
        classifier = _fit(common, np.concatenate([rare[train], *(copy[train] for copy in copies)]))
        probabilities[test] = _probabilities(classifier, rare[test])
    return probabilities


def _fit(yes: Features, no: Features) -> PhotographClassifier:
    rows = np.concatenate([yes, no]).astype(np.float32)
    truth = np.arange(len(rows)) < len(yes)
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=_REGULARISATION, class_weight="balanced", max_iter=2000)
    ).fit(rows, truth)
    scaler, regression = model[0], model[1]
    weights = (regression.coef_[0] / scaler.scale_).astype(np.float32)
    bias = float(regression.intercept_[0] - (regression.coef_[0] * scaler.mean_ / scaler.scale_).sum())
    return PhotographClassifier(weights, bias, _LEAST_SURE)
