"""Evaluation of the segmenter: thresholds are chosen on fold 7, then it is evaluated once on folds 8–9."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mlmodel.datasets.dataset import CALIBRATION_FOLDS, TEST_FOLDS, Dataset, read_photograph
from mlmodel.releases.release_files import sha256_of
from mlmodel.segmentation.abcd import asymmetry, border
from mlmodel.segmentation.dermoscopic_colours import lab_of
from mlmodel.segmentation.outlines import outlines_of
from mlmodel.segmentation.segmenter import SEGMENTER_FACTS, Segmentation, Segmenter, filled, read_probabilities
from mlmodel.training.segmenter_training.otsu import CHANNELS, darkness, otsu_threshold
from mlmodel.training.segmenter_training.pairs import Pairs, read_mask

_LEVELS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
# The maximum share of bad outlines, with a Dice below 0.6, among those that are shown.
_BAD_BELOW, _BAD_AT_MOST = 0.6, 0.02
_MASK_SIDE = 224
_RESAMPLES = 1000
# The baseline's channel is chosen on every fourth photograph of fold 7.
_EACH = 4
_BATCH = 32


@dataclass(frozen=True)
class Score:
    """A mean over photographs with its 95 % bootstrap interval over lesions."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


@dataclass(frozen=True)
class Report:
    """The results by method and set of photographs, and how often an outline is shown."""

    settings: dict[str, float]
    tables: dict[str, dict[str, Score]]
    counts: dict[str, int]
    shown: dict[str, float]
    reference: dict[str, list[float]]

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        names = list(self.counts)
        wide = max(map(len, self.tables))
        rows = [" " * wide + "".join(f"{f'{name} ({self.counts[name]:,})':>24}" for name in names)]
        rows += [
            f"{method:{wide}}" + "".join(f"{scores[name]!s:>24}" for name in names)
            for method, scores in self.tables.items()
        ]
        return [*rows, ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in self.shown.items())]


def judge_segmenter(pairs: Pairs, path: Path, *, training: dict[str, Any]) -> Report:
    """Return the evaluation of an exported segmenter, with thresholds chosen first, and write its facts next to it.

    Args:
        training: the training configuration, stored with the facts.

    Raises:
        DatasetError: a photograph or mask is damaged.
    """
    dataset = pairs.dataset
    plain = Segmenter(path)
    chosen = np.flatnonzero(dataset.rows(CALIBRATION_FOLDS))
    probabilities = _probabilities(plain, pairs, chosen)
    level = _best_level(probabilities, pairs.masks[chosen] > 127)
    segmentations = [read_probabilities(each.astype(np.float32), level=level) for each in probabilities]
    truth = [read_mask(dataset.paths[row]) for row in chosen]
    least = _least_certainty(
        segmentations, np.array([_dice(s.mask(_MASK_SIDE), t) for s, t in zip(segmentations, truth, strict=True)])
    )
    settings = {"level": level, "least_certainty": least}
    segmentations = [
        read_probabilities(each.astype(np.float32), level=level, least_certainty=least) for each in probabilities
    ]
    reference = _reference(dataset, chosen, segmentations)
    some, some_truth = chosen[::_EACH], truth[::_EACH]
    channel = max(CHANNELS, key=lambda name: _otsu_dice(pairs, some, name, some_truth).mean())

    locked = np.flatnonzero(dataset.rows(TEST_FOLDS))
    truth = [read_mask(dataset.paths[row]) for row in locked]
    probabilities = _probabilities(plain, pairs, locked)
    segmentations = [
        read_probabilities(each.astype(np.float32), level=level, least_certainty=least) for each in probabilities
    ]
    dice = np.array([_dice(s.mask(_MASK_SIDE), t) for s, t in zip(segmentations, truth, strict=True)])
    otsu = _otsu_dice(pairs, locked, channel, truth)
    is_shown = np.array([s.doubt is None for s in segmentations])
    is_sharp = dataset.copies[locked] == "sharp"
    sets = {"all": np.ones(len(locked), dtype=bool), "sharp": is_sharp, "soft": ~is_sharp, "shown": is_shown}
    methods = {"network, Dice": dice, "network, Jaccard": dice / (2 - dice), f"Otsu ({channel}), Dice": otsu}
    report = Report(
        settings=settings,
        tables={
            method: {
                name: mean_over_lesions(values[rows], dataset.lesions[locked][rows]) for name, rows in sets.items()
            }
            for method, values in methods.items()
        },
        counts={name: int(rows.sum()) for name, rows in sets.items()},
        shown={
            "shown": float(is_shown.mean()),
            "bad_among_shown": float((dice[is_shown] < _BAD_BELOW).mean()),
            "bad_among_all": float((dice < _BAD_BELOW).mean()),
            "median_dice": float(np.median(dice)),
        },
        reference=reference,
    )
    _write_facts(path, report, training)
    return report


def mean_over_lesions(values: npt.NDArray[np.float64], lesions: npt.NDArray[np.str_], *, seed: int = 0) -> Score:
    """Return the mean over photographs with the percentile interval from 1,000 bootstrap resamples of lesions."""
    _, group = np.unique(lesions, return_inverse=True)
    sums, counts = np.bincount(group, weights=values), np.bincount(group)
    draws = np.random.default_rng(seed).integers(len(sums), size=(_RESAMPLES, len(sums)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    return Score(float(values.mean()), *np.percentile(means, (2.5, 97.5)).tolist())


def _probabilities(segmenter: Segmenter, pairs: Pairs, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float16]:
    batches = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
    parts = [segmenter.probabilities(np.ascontiguousarray(pairs.pixels[batch])) for batch in batches]
    return np.concatenate(parts).astype(np.float16)


def _best_level(probabilities: npt.NDArray[np.float16], truth: npt.NDArray[np.bool_]) -> float:
    def mean_dice(level: float) -> float:
        masks = probabilities > level
        both = (masks & truth).sum(axis=(1, 2))
        return float((2 * both / np.maximum(masks.sum(axis=(1, 2)) + truth.sum(axis=(1, 2)), 1)).mean())

    return max(_LEVELS, key=mean_dice)


def _least_certainty(segmentations: Sequence[Segmentation], dice: npt.NDArray[np.float64]) -> float:
    """Return the lowest certainty above which few enough of the otherwise reliable outlines are bad."""
    certainty = np.array([s.certainty for s in segmentations])
    is_fit = np.array([s.doubt is None for s in segmentations])
    for threshold in np.arange(0.0, 1.0, 0.01):
        rows = is_fit & (certainty >= threshold)
        if (dice[rows] < _BAD_BELOW).mean() <= _BAD_AT_MOST:
            return round(float(threshold), 2)
    return 1.0


def _reference(
    dataset: Dataset, rows: npt.NDArray[np.int64], segmentations: Sequence[Segmentation]
) -> dict[str, list[float]]:
    """Return the percentiles 1 to 99 of asymmetry and compactness over the uncut lesions of the calibration fold.

    A page can compare a lesion with them, without any statement on what that means.
    """
    measures: dict[str, list[float]] = {"asymmetry": [], "compactness": []}
    for row, segmentation in zip(rows, segmentations, strict=True):
        if segmentation.outline is None or segmentation.doubt is not None or segmentation.is_cut:
            continue
        photograph = Image.fromarray(read_photograph(dataset.paths[row]).pixels)
        lab = lab_of(np.asarray(photograph.resize((_MASK_SIDE, _MASK_SIDE))))
        measures["asymmetry"].append(asymmetry(segmentation.outline, lab).shape)
        measures["compactness"].append(border(segmentation.outline).compactness)
    return {
        name: np.percentile(values, range(1, 100)).round(4).tolist() if values else []
        for name, values in measures.items()
    }


def _dice(mask: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> float:
    """Return the Dice coefficient, 2 |A ∩ B| / (|A| + |B|) (Dice, 1945); 1 if both are empty."""
    total = int(mask.sum() + truth.sum())
    return 2.0 * int((mask & truth).sum()) / total if total else 1.0


def _otsu_dice(
    pairs: Pairs, rows: npt.NDArray[np.int64], channel: str, truth: Sequence[npt.NDArray[np.bool_]]
) -> npt.NDArray[np.float64]:
    """Return the Dice of the classical baseline, also reduced to the largest region without holes."""
    scores = []
    for row, mask in zip(rows, truth, strict=True):
        field = darkness(pairs.pixels[row], channel)
        parts = outlines_of(field, level=otsu_threshold(field), at_least=16)
        scores.append(_dice(filled(parts[0] if parts else None, _MASK_SIDE), mask))
    return np.array(scores)


def _write_facts(path: Path, report: Report, training: dict[str, Any]) -> None:
    figures: dict[str, Any] = {
        method: {name: {k: round(v, 4) for k, v in asdict(score).items()} for name, score in scores.items()}
        for method, scores in report.tables.items()
    }
    facts = {
        "file": path.name,
        "sha256": sha256_of(path),
        "settings": report.settings,
        "training": {**training, "train_folds": "0–6", "choose_fold": "7"},
        "reference": report.reference,
        "locked_test": {
            "folds": "8–9",
            "photographs": report.counts,
            "scores": figures,
            **{name: round(value, 4) for name, value in report.shown.items()},
        },
    }
    text = json.dumps(facts, indent=2, ensure_ascii=False)
    path.with_name(SEGMENTER_FACTS).write_text(text + "\n", encoding="utf-8")
