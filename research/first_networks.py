"""Build three networks with little training as servable releases, the starting points of `research/retrain.py`.

    python -m research.first_networks DATA --backbone-weights FILE [--output var/releases]

DATA contains ``ham10000/`` (metadata.csv and images/), ``phone/`` and ``not_skin/``. The first network, base and head,
is trained on folds 0–2 from ImageNet weights; the second on the same without vascular lesions and dermatofibromas; of
the third only the head is trained, on the frozen ImageNet base. So what a clinic confirms of folds 3–6 is new to all.
The first two take about half an hour each on two cores and resume where they were interrupted. Fold 7 is for
calibration; the held-out folds are used only for the figures of the release's card.
"""

import argparse
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.beginning import run  # noqa: E402
from mlmodel.datasets.dataset import CALIBRATION_FOLDS, TEST_FOLDS, Dataset, read_dataset  # noqa: E402
from mlmodel.datasets.feature_cache import cached_features  # noqa: E402
from mlmodel.network.engine import Engine  # noqa: E402
from mlmodel.network.head import Head  # noqa: E402
from mlmodel.releases.release import add_to_manifest, load_release  # noqa: E402
from mlmodel.releases.release_files import SHIPPED, sha256_of  # noqa: E402
from mlmodel.retraining.base_set import BASE_SET_FILE, write_base_set  # noqa: E402
from mlmodel.taxonomy import CODES  # noqa: E402
from mlmodel.training.architectures import base_of  # noqa: E402
from mlmodel.training.backbone import export_backbone, xception  # noqa: E402
from mlmodel.training.base_set_packing import FINENESS, base_set_of  # noqa: E402
from mlmodel.training.head_fitting import HeadRecipe, fit_head  # noqa: E402
from mlmodel.training.recipe import Phase, Recipe, load_recipe  # noqa: E402
from mlmodel.training.release_building import BuildInputs, build_release  # noqa: E402
from mlmodel.training.run_folder import RunDirectory  # noqa: E402
from mlmodel.training.trained import head_of, load_trained, story_of  # noqa: E402
from mlmodel.training.trainer import Split, train  # noqa: E402

FIRST_FOLDS = (0, 1, 2)
UNSEEN = ("df", "vasc")
SIDE = 96
# The logit of a class that was never trained, so that it is never predicted: about e⁻¹² of the others.
_NEVER = -12.0

FROZEN, FROZEN_SIDE = "folds-0-2-frozen-base", 160
NETWORKS: dict[str, tuple[str, ...]] = {
    "folds-0-2": CODES,
    "folds-0-2-without-df-vasc": tuple(code for code in CODES if code not in UNSEEN),
    FROZEN: CODES,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--backbone-weights", type=Path)
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "releases")
    parser.add_argument("--runs", type=Path, default=ROOT / "var" / "runs" / "first")
    parser.add_argument("--cache", type=Path, default=ROOT / "var" / "features")
    parser.add_argument("--only", choices=list(NETWORKS), nargs="*", default=list(NETWORKS))
    options = parser.parse_args()
    dataset = read_dataset(options.data / "ham10000")
    for name in options.only:
        run, output = RunDirectory(options.runs / name), options.output / name
        if (output / BASE_SET_FILE).exists():
            continue
        if name == FROZEN:
            made = _frozen(run, options.backbone_weights, dataset, options.cache)
        else:
            _train(run, NETWORKS[name], dataset, options.backbone_weights)
            made = _trained(run, NETWORKS[name], dataset)
        _release(made, NETWORKS[name], options.data, dataset, output, options.cache)


def _recipe(classes: tuple[str, ...]) -> Recipe:
    """Return the shipped network's recipe with small images and few epochs."""
    phase = Phase(side=SIDE, epochs=6, peak_rate=4e-4, final_rate=1e-5, trainable_from="block4", warm_up_steps=50)
    return replace(load_recipe("best"), classes=classes, average=0.99, phases=(phase,))


def _train(run: RunDirectory, classes: tuple[str, ...], dataset: Dataset, weights: Path | None) -> None:
    if run.report():
        return
    recipe = _recipe(classes)
    if not (run.path / "configuration.json").exists():
        run.start({"recipe": recipe.as_dict(), "data": dataset.sha256})
    print(f"== {run.path.name}", flush=True)
    takes_part = dataset.labels_among(classes) >= 0
    split = Split(
        trained=np.flatnonzero(takes_part & dataset.rows(FIRST_FOLDS)),
        validation=np.flatnonzero(takes_part & dataset.rows(CALIBRATION_FOLDS)),
    )
    say: Callable[[str], None] = lambda line: print(line, flush=True)  # noqa: E731
    train(recipe=recipe, dataset=dataset, split=split, run=run, weights=weights, say=say)


@dataclass(frozen=True)
class Made:
    """A backbone's file, its head, and the description of their training."""

    backbone: Path
    head: Head
    training: dict[str, Any]


def _trained(run: RunDirectory, classes: tuple[str, ...], dataset: Dataset) -> Made:
    recipe, network = load_trained(run)
    backbone = run.path / "backbone.onnx"
    if not backbone.exists():
        export_backbone(backbone, base_of(network), side=SIDE, detail=SIDE)
    labels = dataset.labels_among(classes)
    rows = (labels >= 0) & dataset.rows(FIRST_FOLDS)
    head = head_of(replace(recipe, classes=CODES), network, trained_labels=labels[rows])
    return Made(backbone, _of_seven(head, classes), story_of(run, recipe))


def _frozen(run: RunDirectory, weights: Path | None, dataset: Dataset, cache: Path) -> Made:
    run.path.mkdir(parents=True, exist_ok=True)
    backbone = run.path / "backbone.onnx"
    if not backbone.exists():
        export_backbone(backbone, xception(weights), side=FROZEN_SIDE, detail=FROZEN_SIDE)
    rows = dataset.rows(FIRST_FOLDS)
    head = fit_head(_features(dataset, backbone, cache)[rows], dataset.labels[rows], recipe=HeadRecipe())
    return Made(backbone, head, {"recipe": asdict(HeadRecipe())})


def _release(made: Made, classes: tuple[str, ...], data: Path, dataset: Dataset, output: Path, cache: Path) -> None:
    inputs = BuildInputs(
        ham10000=data / "ham10000", smartphone=data / "phone", not_skin=data / "not_skin", backbone=made.backbone,
        cache=cache, head=made.head, training=made.training,
    )  # fmt: skip
    facts = build_release(inputs, output)
    for name, figures in facts.estimates.items():
        print(f"{output.name}, {name}: " + ", ".join(f"{figure} {value}" for figure, value in figures.items()))
    for file in ("segmenter.json", "segmenter.onnx"):
        shutil.copyfile(SHIPPED / file, output / file)
    _pack(dataset, dataset.labels_among(classes) >= 0, output, cache)


def _features(dataset: Dataset, backbone: Path, cache: Path) -> npt.NDArray[np.float16]:
    folder = cache / sha256_of(backbone)[:16] / "ham10000"
    return cached_features(dataset.paths, engine=Engine(backbone), cache=folder)


def _of_seven(head: Head, classes: tuple[str, ...]) -> Head:
    """Return the head with seven outputs; classes it was not trained on are never predicted."""
    places = [CODES.index(code) for code in classes]
    weights = np.zeros((head.output_weights.shape[0], len(CODES)), dtype=np.float32)
    bias = np.full(len(CODES), _NEVER, dtype=np.float32)
    weights[:, places], bias[places] = head.output_weights, head.output_bias
    return replace(head, output_weights=weights, output_bias=bias)


def _pack(dataset: Dataset, takes_part: npt.NDArray[np.bool_], output: Path, cache: Path) -> None:
    """Write the base set with the photographs of the training folds that the network has seen."""
    release = load_release(output)
    features = _features(dataset, release.backbone, cache)
    kept = (takes_part & dataset.rows(FIRST_FOLDS)) | dataset.rows((*CALIBRATION_FOLDS, *TEST_FOLDS))
    rows = np.flatnonzero(kept)
    seen = dataset.take(rows)
    base = base_set_of(seen, features[rows], backbone_sha256=release.backbone_sha256)
    write_base_set(base, output / BASE_SET_FILE, head=Head.load(release.head), fineness=FINENESS)
    add_to_manifest(output, "base_set", BASE_SET_FILE)


if __name__ == "__main__":
    run(main)
