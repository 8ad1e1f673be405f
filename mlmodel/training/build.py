"""Build a release: features, head, calibration, operating points, in-domain judge, card, manifest."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.calibration import Calibration, fit_set_threshold, fit_temperature
from mlmodel.engine import Engine
from mlmodel.head import Floats, Head
from mlmodel.in_domain import InDomainJudge
from mlmodel.release import sha256_of, write_manifest
from mlmodel.taxonomy import CODES, CONDITIONS
from mlmodel.training import evaluate
from mlmodel.training.card import CardFacts, write_card
from mlmodel.training.dataset import CALIBRATION_FOLDS, LOCKED_FOLDS, TRAIN_FOLDS, Dataset, read_dataset
from mlmodel.training.features import cached_features
from mlmodel.training.fit import HeadRecipe, class_mix, fit_head
from mlmodel.training.in_domain import InDomainFit, fit_in_domain

WATCH_SENSITIVITY = 0.95
URGENT_SPECIFICITY = 0.90
BACKBONE_FILE, HEAD_FILE, CARD_FILE = "backbone.onnx", "head.npz", "card.md"
# Each augmented copy of the training set is made with a seed of its own.
_FIRST_AUGMENTATION_SEED = 1000


@dataclass(frozen=True)
class BuildInputs:
    """Where everything comes from.

    Attributes:
        ham10000: the folder with metadata.csv and images/.
        other_lesions: photographs of lesions of another kind that the in-domain judge must accept.
        not_skin: everyday photographs that it must refuse.
        backbone: the exported backbone.
        cache: a folder for computed features.
        augmented_copies: how many changed copies of each training photograph to train on as well.
        recipe: how the head is fitted.
    """

    ham10000: Path
    other_lesions: Path
    not_skin: Path
    backbone: Path
    cache: Path
    augmented_copies: int = 1
    recipe: HeadRecipe = field(default_factory=HeadRecipe)


def build_release(inputs: BuildInputs, output: Path, *, verbose: int = 0) -> CardFacts:
    """Train and judge a head, and write the whole release to ``output``.

    Raises:
        DatasetError: the data folder is not what it should be.
    """
    dataset = read_dataset(inputs.ham10000)
    features = _Features(inputs)
    plain = features.of(dataset.paths, "ham10000")
    trained = dataset.rows(TRAIN_FOLDS)
    paths = [path for path, is_trained in zip(dataset.paths, trained, strict=True) if is_trained]
    seeds = range(_FIRST_AUGMENTATION_SEED, _FIRST_AUGMENTATION_SEED + inputs.augmented_copies)
    copies = [plain[trained], *(features.of(paths, f"ham10000-train-{seed}", seed) for seed in seeds)]
    labels = np.tile(dataset.labels[trained], len(copies))
    head = fit_head(np.concatenate(copies), labels, recipe=inputs.recipe, verbose=verbose)
    judge = fit_in_domain(
        lesions=np.concatenate([plain[trained][::4], features.of_folder(inputs.other_lesions)]),
        others=features.of_folder(inputs.not_skin),
        others_copies=[features.of_folder(inputs.not_skin, seed) for seed in seeds],
    )
    output.mkdir(parents=True, exist_ok=True)
    if inputs.backbone.resolve() != (output / BACKBONE_FILE).resolve():
        shutil.copyfile(inputs.backbone, output / BACKBONE_FILE)
    _save_head(output / HEAD_FILE, head, judge.judge)
    # What is judged is the head as it will be loaded, in half precision.
    facts = _judge_head(Head.load(output / HEAD_FILE), dataset, plain, judge, inputs)
    (output / CARD_FILE).write_text(write_card(facts), encoding="utf-8")
    write_manifest(output, backbone=BACKBONE_FILE, head=HEAD_FILE, card=CARD_FILE, settings=dict(facts.settings))
    return facts


class _Features:
    """Features by folder, cached under the hash of the backbone that makes them."""

    def __init__(self, inputs: BuildInputs) -> None:
        self._engine = Engine(inputs.backbone)
        self._cache = inputs.cache / sha256_of(inputs.backbone)[:16]

    def of(self, paths: Sequence[Path], name: str, seed: int | None = None) -> npt.NDArray[np.float16]:
        return cached_features(paths, engine=self._engine, cache=self._cache / name, augmentation_seed=seed)

    def of_folder(self, folder: Path, seed: int | None = None) -> npt.NDArray[np.float16]:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
        return self.of(paths, folder.name if seed is None else f"{folder.name}-{seed}", seed)


def _save_head(path: Path, head: Head, judge: InDomainJudge) -> None:
    arrays = {name: values.astype(np.float16) for name, values in asdict(head).items()}
    np.savez(path, **arrays, in_domain_weights=judge.weights, in_domain_bias=np.float32(judge.bias))


def _judge_head(
    head: Head, dataset: Dataset, features: npt.NDArray[np.float16], judge: InDomainFit, inputs: BuildInputs
) -> CardFacts:
    mix = class_mix(dataset.labels[dataset.rows(TRAIN_FOLDS)])
    chosen = dataset.rows(CALIBRATION_FOLDS)
    logits = head.logits(features[chosen].astype(np.float32))
    weights = _one_for_each_lesion(dataset.lesions[chosen])
    temperature = fit_temperature(logits, dataset.labels[chosen], weights)
    probabilities = Calibration(temperature, mix, 0.0).probabilities(logits)
    calibration = Calibration(temperature, mix, fit_set_threshold(probabilities, dataset.labels[chosen]))
    # A clinic's camera sends sharp photographs, and soft copies score differently: thresholds are for the former.
    tuned = _answers(head, calibration, dataset, features, chosen & (dataset.sources == "sharp"))
    locked = _answers(head, calibration, dataset, features, dataset.rows(LOCKED_FOLDS))
    lesions = evaluate.by_lesion(locked)
    sharp = locked.take(dataset.sources[dataset.rows(LOCKED_FOLDS)] == "sharp")
    thresholds = _thresholds(tuned)
    points = {tier: evaluate.estimate(_costs(threshold), sharp) for tier, threshold in thresholds.items()}
    settings: dict[str, Any] = {
        "architecture": "xception",
        "temperature": round(temperature, 6),
        "class_mix": {code: round(float(share), 8) for code, share in zip(CODES, mix, strict=True)},
        "set_threshold": round(calibration.set_threshold, 6),
        "in_domain_threshold": judge.judge.threshold,
        "operating_points": {
            tier: {
                "threshold": round(threshold, 6),
                **{name: round(found.value, 4) for name, found in points[tier].items()},
            }
            for tier, threshold in thresholds.items()
        },
        "recipe": asdict(inputs.recipe),
        "augmented_copies": inputs.augmented_copies,
    }
    metrics = _metrics(calibration.set_threshold)
    subsets = {"lesions": lesions, "photographs": locked, "sharp": sharp}
    estimates = {name: evaluate.estimate(metrics, answers) for name, answers in subsets.items()}
    settings["locked_test"] = {name: evaluate.as_settings(found) for name, found in estimates.items()}
    return CardFacts(
        settings=settings,
        counts={name: _count(dataset, folds) for name, folds in _SETS.items()},
        estimates=estimates,
        recalls={code: _recall(lesions, index) for index, code in enumerate(CODES)},
        operating_points=points,
        in_domain=judge.figures,
    )


_SETS = {"train (folds 0–6)": TRAIN_FOLDS, "choose and calibrate (fold 7)": CALIBRATION_FOLDS,
         "locked test (folds 8–9)": LOCKED_FOLDS}  # fmt: skip


def _answers(
    head: Head,
    calibration: Calibration,
    dataset: Dataset,
    features: npt.NDArray[np.float16],
    rows: npt.NDArray[np.bool_],
) -> evaluate.Answers:
    logits = head.logits(features[rows].astype(np.float32))
    return evaluate.Answers(
        probabilities=calibration.probabilities(logits),
        scores=calibration.equal_prior_scores(logits),
        labels=dataset.labels[rows],
        lesions=dataset.lesions[rows],
    )


def _thresholds(tuned: evaluate.Answers) -> dict[str, float]:
    """Set the two operating points on the sharp photographs of the calibration fold, one of each lesion."""
    mass, is_malignant = tuned.malignant_probability, tuned.is_malignant
    watch = float(np.quantile(mass[is_malignant], 1 - WATCH_SENSITIVITY, method="lower"))
    urgent = float(np.quantile(mass[~is_malignant], URGENT_SPECIFICITY, method="higher"))
    return {"urgent": max(urgent, watch), "watch": watch}


def _metrics(set_threshold: float) -> dict[str, evaluate.Metric]:
    return {
        "balanced_accuracy": evaluate.balanced_accuracy,
        "macro_auc": evaluate.macro_auc,
        "malignant_auc": evaluate.malignant_auc,
        "accuracy": evaluate.accuracy,
        "calibration_error": evaluate.expected_calibration_error,
        "set_coverage": evaluate.set_coverage_at(set_threshold),
    }


def _costs(threshold: float) -> dict[str, evaluate.Metric]:
    return {
        "sensitivity": evaluate.sensitivity_at(threshold),
        "melanoma_sensitivity": evaluate.sensitivity_at(threshold, melanoma_only=True),
        "specificity": evaluate.specificity_at(threshold),
    }


def _recall(answers: evaluate.Answers, index: int) -> evaluate.Estimate:
    own = answers.take(answers.labels == index)
    metric: evaluate.Metric = lambda found: float((found.scores.argmax(axis=1) == index).mean())  # noqa: E731
    return evaluate.estimate({CONDITIONS[index].code: metric}, own)[CONDITIONS[index].code]


def _count(dataset: Dataset, folds: tuple[int, ...]) -> tuple[int, int]:
    rows = dataset.rows(folds)
    return int(rows.sum()), len(np.unique(dataset.lesions[rows]))


def _one_for_each_lesion(lesions: npt.NDArray[np.str_]) -> Floats:
    _, group = np.unique(lesions, return_inverse=True)
    return (1.0 / np.bincount(group)[group]).astype(np.float32)
