"""The founding papers' claims, the results of their recipes here, and the shipped network, side by side.

    python -m research.papers DATA [--runs var/runs]

DATA is the output of ``manage.py import_ham10000``. The runs are those of ``manage.py train --recipe paper-…``, with
the papers' split by image and with ``--split by-lesion``; unfinished runs are listed as missing. The shipped network
is evaluated on the same fold 7, which also set its temperature, and on the held-out folds 8–9.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.beginning import run  # noqa: E402
from mlmodel.datasets.dataset import CALIBRATION_FOLDS, TEST_FOLDS, Dataset, read_dataset  # noqa: E402
from mlmodel.datasets.feature_cache import cached_features  # noqa: E402
from mlmodel.metrics import performance  # noqa: E402
from mlmodel.network.analyser import get_analyser  # noqa: E402
from mlmodel.taxonomy import CODES  # noqa: E402
from mlmodel.training.recipe import Recipe, recipe_from  # noqa: E402
from mlmodel.training.run_folder import RunDirectory  # noqa: E402
from mlmodel.training.session import split  # noqa: E402

THREE = ("bcc", "mel", "nv")
# The papers' figures on their validation images, and the corresponding recipes.
CLAIMS = (
    ("Xception, seven classes", "paper-xception", "about 85 %"),
    ("eight convolutions, three classes", "paper-cnn8", "93 %"),
    ("VGG16, three classes", "paper-vgg16", "–"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=Path, default=ROOT / "var" / "runs")
    parser.add_argument("--cache", type=Path, default=ROOT / "var" / "features")
    options = parser.parse_args()
    dataset = read_dataset(options.data)
    print(f"{'':52}{'claimed':>12}{'accuracy':>22}{'balanced':>10}{'macro AUC':>11}   lesions also trained on")
    for title, recipe, claim in CLAIMS:
        for split_by in ("by-image", "by-lesion"):
            _print_run(title, claim, dataset, RunDirectory(options.runs / f"{recipe}-{split_by}"), split_by)
            claim = ""
    for classes in (CODES, THREE):
        for name, folds in (("fold 7", CALIBRATION_FOLDS), ("held-out folds", TEST_FOLDS)):
            _print_shipped(classes, name, dataset, dataset.rows(folds), options.cache)


def _print_run(title: str, claim: str, dataset: Dataset, run: RunDirectory, split_by: str) -> None:
    name = f"{title}, {split_by.replace('-', ' ')}"
    if not run.path.exists() or (report := run.report()) is None:
        print(f"{name:52}{claim:>12}   not trained: manage.py train --recipe {run.path.name.rsplit('-by-')[0]}")
        return
    recipe = recipe_from(run.path.name, run.configuration()["recipe"])
    last: dict[str, Any] = report["epochs"][-1]
    shared, count = _shared_lesions(recipe, dataset)
    _print(
        name, claim, float(last["watched_accuracy"]), float(last["watched_balanced_accuracy"]),
        float(last["watched_macro_auc"]), count, f"{shared:.0%}",
    )  # fmt: skip


def _shared_lesions(recipe: Recipe, dataset: Dataset) -> tuple[float, int]:
    """Return the share of validation photographs whose lesion was trained on, and how many there are."""
    rows = split(recipe, dataset)
    seen = np.isin(dataset.lesions[rows.validation], dataset.lesions[rows.trained])
    return float(seen.mean()), len(rows.validation)


def _print_shipped(classes: tuple[str, ...], name: str, dataset: Dataset, rows: Any, cache: Path) -> None:
    analyser = get_analyser()
    labels = dataset.labels_among(classes)
    rows = np.flatnonzero(rows & (labels >= 0))
    features = cached_features(
        dataset.paths, engine=analyser.engine, cache=cache / analyser.backbone_sha256[:16] / "ham10000"
    )
    logits = analyser.head.logits(features[rows].astype(np.float32))
    own = [CODES.index(code) for code in classes]
    probabilities = analyser.calibration.probabilities(logits)[:, own]
    scores = analyser.calibration.equal_prior_scores(logits)[:, own]
    answers = performance.Answers(
        probabilities=probabilities / probabilities.sum(axis=1, keepdims=True),
        scores=scores / scores.sum(axis=1, keepdims=True),
        labels=labels[rows],
        lesions=dataset.lesions[rows],
    )
    _print(
        f"DermaScan, {'seven' if classes == CODES else 'three'} classes, {name}, by lesion", "",
        performance.accuracy(answers), performance.balanced_accuracy(answers), performance.macro_auc(answers),
        len(rows), "0%",
    )  # fmt: skip


def _print(name: str, claim: str, accuracy: float, balanced: float, auc: float, count: int, shared: str) -> None:
    print(f"{name:52}{claim:>12}{accuracy:>12.3f} of {count:<5,}{balanced:>12.3f}{auc:>11.3f}   {shared}")


if __name__ == "__main__":
    run(main)
