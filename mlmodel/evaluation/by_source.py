"""Performance for each source of photographs, as an indication for similar clinics."""

from collections.abc import Iterable, Mapping
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

# With fewer lesions in either group, an area under the curve or a share is not meaningful.
LEAST = 10
# Titles of the counts and metrics of each source, for the card and the report.
COUNTS = {
    "photographs": "Photographs",
    "lesions": "Lesions",
    "malignant": "Malignant lesions",
    "melanomas": "Melanomas",
}
FIGURES = {
    "melanoma_auc": "AUC, melanoma against the rest",
    "malignant_auc": "AUC, malignant against benign",
    "balanced_accuracy": "Balanced accuracy over the classes present",
    "calibration_error": "Expected calibration error",
    "set_coverage": "Coverage of the 90 % set",
    "watch.sensitivity": "*watch*: malignant lesions flagged",
    "watch.melanoma_sensitivity": "*watch*: melanomas flagged",
    "watch.specificity": "*watch*: benign lesions not flagged",
    "urgent.sensitivity": "*urgent*: malignant lesions flagged",
    "urgent.specificity": "*urgent*: benign lesions not flagged",
}
_MELANOMA, _MALIGNANT = CODES.index("mel"), LABELS.index("malignant")


def answers_by_source(dataset: Dataset, logits: Floats, calibration: Calibration) -> dict[str, Answers]:
    """Return a network's answers to the photographs of each source, by source name.

    Args:
        dataset: N photographs, including those with partial labels.
        logits: float32 (N, 7), of these photographs.
        calibration: turns logits into probabilities.
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
    """Return the class priors of each source's photographs, float32 (7,) by name; see ``sampling.log_priors``."""
    sources, logs = log_priors(dataset.labels, dataset.possible_among(CODES), dataset.sources, sampling="every-image")
    return {name: np.exp(row).astype(np.float32) for name, row in zip(sources, logs, strict=True)}


def figures_of_source(
    answers: Answers, *, thresholds: Mapping[str, float], set_thresholds: Floats, class_mix: Floats, seed: int = 0
) -> dict[str, Any]:
    """Return lesion counts and each metric with its 95 % interval, or None where there are too few lesions.

    ``behind`` counts the lesions that each metric is about.

    Areas under the curve use equal-prior scores, and calibration is measured at the source's own class mix, since the
    mix of the training set does not describe another clinic's patients.

    Args:
        answers: for a source's photographs; they are averaged by lesion.
        thresholds: on the malignant probability, by tier.
        set_thresholds: float32 (7,), of the prediction sets.
        class_mix: float32 (7,), of the source.
        seed: for the bootstrap.
    """
    lesions = performance.by_lesion(answers)

    def measured(each: Answers) -> dict[str, float]:
        return _measured(each, thresholds, set_thresholds, class_mix)

    figures = measured(lesions)
    resampled = [list(measured(each).values()) for each in performance.resamples(lesions, seed=seed)]
    low, high = np.percentile(np.array(resampled), (2.5, 97.5), axis=0)
    return {
        "photographs": len(answers.labels),
        "lesions": len(lesions.labels),
        "malignant": int(lesions.is_malignant.sum()),
        "melanomas": int(lesions.is_melanoma.sum()),
        "figures": {
            name: None if np.isnan(value) else Estimate(value, float(low[place]), float(high[place]))
            for place, (name, value) in enumerate(figures.items())
        },
        "behind": _behind(lesions, thresholds, class_mix),
    }


def as_facts(sources: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the results of ``figures_of_source`` for each source as JSON-ready values."""

    def plain(estimate: Estimate | None) -> dict[str, float] | None:
        return {key: round(value, 4) for key, value in asdict(estimate).items()} if estimate else None

    return {
        name: {**results, "figures": {figure: plain(each) for figure, each in results["figures"].items()}}
        for name, results in sources.items()
    }


def _measured(
    answers: Answers, thresholds: Mapping[str, float], set_thresholds: Floats, class_mix: Floats
) -> dict[str, float]:
    exact = answers.exact()
    # A lesion labelled only as malignant may be a melanoma.
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


def _behind(answers: Answers, tiers: Iterable[str], class_mix: Floats) -> dict[str, int]:
    """Return the number of lesions behind each metric of ``_measured``."""
    malignant, exact = int(answers.is_malignant.sum()), len(answers.exact().labels)
    return {
        "melanoma_auc": int((answers.labels != _MALIGNANT).sum()),
        "malignant_auc": len(answers.labels),
        "balanced_accuracy": exact,
        "calibration_error": len(_at_mix(answers, class_mix).labels),
        "set_coverage": exact,
        **{f"{tier}.sensitivity": malignant for tier in tiers},
        **{f"{tier}.melanoma_sensitivity": int(answers.is_melanoma.sum()) for tier in tiers},
        **{f"{tier}.specificity": len(answers.labels) - malignant for tier in tiers},
    }


def _at_mix(answers: Answers, class_mix: Floats) -> Answers:
    """Return the answers at another class mix, with one label and column for each group that the labels distinguish.

    Where a partial label overlaps with an exact one that is present (“malignant” with melanoma, for example), the
    photographs with the partial label are excluded.
    """
    present = np.unique(answers.labels)
    exact = present[is_exact(present)]
    distinct = [label for label in present if label in exact or not POSSIBLE[label][exact].any()]
    # Classes without a label form groups of their own.
    groups = [POSSIBLE[label] for label in distinct]
    groups += [row for row in np.eye(len(CODES), dtype=np.bool_) if not (np.array(groups) & row).any()]
    at_mix = answers.scores * class_mix
    grouped = (at_mix / at_mix.sum(axis=1, keepdims=True)) @ np.array(groups, dtype=np.float32).T
    is_distinct = np.isin(answers.labels, distinct)
    labels: npt.NDArray[np.int64] = np.searchsorted(np.array(distinct), answers.labels[is_distinct])
    return replace(answers.take(is_distinct), probabilities=grouped[is_distinct], labels=labels)


def _auc(scores: Floats, is_positive: npt.NDArray[np.bool_]) -> float:
    smaller_group = min(int(is_positive.sum()), int((~is_positive).sum()))
    return performance.auc(scores, is_positive) if smaller_group >= LEAST else float("nan")


def _share(of: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> float:
    return float(of[among].mean()) if among.sum() >= LEAST else float("nan")
