"""How a network does at each source of photographs: what a clinic like it may expect."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.datasets.dataset import Dataset
from mlmodel.metrics import performance
from mlmodel.metrics.class_mixes import log_priors
from mlmodel.metrics.partial_labels import LABELS, POSSIBLE, is_exact
from mlmodel.metrics.performance import Answers, Estimate
from mlmodel.network.calibration import Calibration, in_set
from mlmodel.network.head import Floats
from mlmodel.taxonomy import CODES

# Fewer lesions on either side say nothing of an area under the curve, nor of a share.
LEAST = 10
# What is counted and what is figured out of each source, in the words of card and report.
COUNTS = {
    "photographs": "Photographs",
    "lesions": "Lesions",
    "malignant": "of them malignant",
    "melanomas": "of them melanomas",
}
FIGURES = {
    "melanoma_auc": "AUC, melanoma against the rest",
    "malignant_auc": "AUC, malignant against benign",
    "balanced_accuracy": "Balanced accuracy over the classes there",
    "calibration_error": "Expected calibration error",
    "set_coverage": "The 90 % set holds the truth",
    "watch.sensitivity": "*watch*: malignant lesions flagged",
    "watch.melanoma_sensitivity": "*watch*: melanomas flagged",
    "watch.specificity": "*watch*: benign lesions left alone",
    "urgent.sensitivity": "*urgent*: malignant lesions flagged",
    "urgent.specificity": "*urgent*: benign lesions left alone",
}
_MELANOMA, _MALIGNANT = CODES.index("mel"), LABELS.index("malignant")


def answers_by_source(dataset: Dataset, logits: Floats, calibration: Calibration) -> dict[str, Answers]:
    """Return a network's answers to the photographs of each source, by the source's name.

    Args:
        dataset: N photographs, partial labels too.
        logits: float32 (N, 7), of them.
        calibration: how they are read.
    """
    return {
        str(source): Answers(
            probabilities=calibration.probabilities(logits[dataset.sources == source]),
            scores=calibration.equal_prior_scores(logits[dataset.sources == source]),
            labels=dataset.labels[dataset.sources == source],
            lesions=dataset.lesions[dataset.sources == source],
        )
        for source in np.unique(dataset.sources)
    }


def class_mixes(dataset: Dataset) -> dict[str, Floats]:
    """Return the class mix of each source's photographs, float32 (7,) by name; see ``sampling.log_priors``."""
    sources, logs = log_priors(dataset.labels, dataset.possible_among(CODES), dataset.sources, sampling="every-image")
    return {name: np.exp(row).astype(np.float32) for name, row in zip(sources, logs, strict=True)}


def figures_of_source(
    answers: Answers, *, thresholds: Mapping[str, float], set_thresholds: Floats, class_mix: Floats, seed: int = 0
) -> dict[str, Any]:
    """Return counts of lesions and each figure with its 95 % interval; None where there are too few to speak of.

    Areas under the curve are of equal-prior scores, and calibration is judged at the source's own class mix: the mix
    of the training set says nothing of another clinic's patients.

    Args:
        answers: of a source's photographs; they are counted by lesion.
        thresholds: on the malignant probability, by tier.
        set_thresholds: float32 (7,), of the prediction sets.
        class_mix: float32 (7,), of the source.
        seed: of the resamples.
    """
    lesions = performance.by_lesion(answers)

    def measured(each: Answers) -> dict[str, float]:
        return _measured(each, thresholds, set_thresholds, class_mix)

    found = measured(lesions)
    drawn = [list(measured(each).values()) for each in performance.resamples(lesions, seed=seed)]
    low, high = np.percentile(np.array(drawn), (2.5, 97.5), axis=0)
    return {
        "photographs": len(answers.labels),
        "lesions": len(lesions.labels),
        "malignant": int(lesions.is_malignant.sum()),
        "melanomas": int(lesions.is_melanoma.sum()),
        "figures": {
            name: None if np.isnan(value) else Estimate(value, float(low[place]), float(high[place]))
            for place, (name, value) in enumerate(found.items())
        },
    }


def as_facts(sources: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what ``figures_of_source`` gave of each source as plain figures that JSON can hold."""

    def plain(estimate: Estimate | None) -> dict[str, float] | None:
        return {key: round(value, 4) for key, value in asdict(estimate).items()} if estimate else None

    return {
        name: {**found, "figures": {figure: plain(each) for figure, each in found["figures"].items()}}
        for name, found in sources.items()
    }


def _measured(
    answers: Answers, thresholds: Mapping[str, float], set_thresholds: Floats, class_mix: Floats
) -> dict[str, float]:
    exact = answers.exact()
    # What is only known to be malignant may be a melanoma.
    known = answers.take(answers.labels != _MALIGNANT)
    figures = {
        "melanoma_auc": _auc(known.scores[:, _MELANOMA], known.is_melanoma),
        "malignant_auc": _auc(answers.malignant_score, answers.is_malignant),
        "balanced_accuracy": performance.balanced_accuracy(exact)
        if len(np.unique(exact.labels)) > 1
        else float("nan"),
        "calibration_error": performance.expected_calibration_error(_at_mix(answers, class_mix)),
        "set_coverage": float("nan"),
    }
    if len(exact.labels) >= LEAST:
        sets = in_set(exact.scores, set_thresholds)
        figures["set_coverage"] = float(sets[np.arange(len(exact.labels)), exact.labels].mean())
    for tier, threshold in thresholds.items():
        flagged = answers.malignant_probability >= threshold
        figures |= {
            f"{tier}.sensitivity": _share(flagged, answers.is_malignant),
            f"{tier}.melanoma_sensitivity": _share(flagged, answers.is_melanoma),
            f"{tier}.specificity": _share(~flagged, ~answers.is_malignant),
        }
    return figures


def _at_mix(answers: Answers, class_mix: Floats) -> Answers:
    """Return the answers at another class mix, with labels and columns for what the labels tell apart.

    Where a partial label overlaps with another one that is there (squamous cell carcinoma with “malignant”), the
    photographs of the partial one are left out.
    """
    present = np.unique(answers.labels)
    exact = present[is_exact(present)]
    apart = [label for label in present if label in exact or not POSSIBLE[label][exact].any()]
    # The classes that no label names stand for themselves.
    groups = [POSSIBLE[label] for label in apart]
    groups += [row for row in np.eye(len(CODES), dtype=np.bool_) if not (np.array(groups) & row).any()]
    at_mix = answers.scores * class_mix
    grouped = (at_mix / at_mix.sum(axis=1, keepdims=True)) @ np.array(groups, dtype=np.float32).T
    kept = np.isin(answers.labels, apart)
    labels: npt.NDArray[np.int64] = np.searchsorted(np.array(apart), answers.labels[kept])
    return replace(answers.take(kept), probabilities=grouped[kept], labels=labels)


def _auc(scores: Floats, is_positive: npt.NDArray[np.bool_]) -> float:
    fewest = min(int(is_positive.sum()), int((~is_positive).sum()))
    return performance.auc(scores, is_positive) if fewest >= LEAST else float("nan")


def _share(of: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> float:
    return float(of[among].mean()) if among.sum() >= LEAST else float("nan")
