"""Compare the engine's probabilities with TensorFlow's, photograph by photograph.

    python -m research.agreement DATA [--run DIR [--weights NAME]] [--count 1000]

DATA is the output of ``manage.py import_ham10000``, DIR the run that the shipped network was built from: its weights
were not rounded. Without it, TensorFlow computes the shipped file. The engine has half-precision weights and rounds
features as stored ones are; this prints the resulting difference, and fails if fewer than 99.5 % of the photographs
have the same class first.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.beginning import run
from mlmodel.datasets.dataset import TRAIN_FOLDS, Dataset, read_dataset
from mlmodel.metrics.class_mixes import drawn_mix
from mlmodel.network.analyser import Analyser, get_analyser
from mlmodel.network.stages import FEATURE_COUNT, stage_slice
from mlmodel.pictures.picture import decode
from mlmodel.training.architectures import base_of, split_at_features
from mlmodel.training.backbone import build_backbone
from mlmodel.training.run_folder import RunDirectory
from mlmodel.training.sampling import implied_log_mix
from mlmodel.training.trained import load_trained

LEAST_AGREEMENT = 0.995
LogitsOf = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--weights", default="weights.npz")
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    analyser = get_analyser()
    dataset = read_dataset(options.data)
    logits_of = _trained(options, analyser, dataset) if options.run else _shipped(analyser)
    rows = np.random.default_rng(0).permutation(len(dataset.paths))[: options.count]
    actual, expected = [], []
    for row in tqdm(rows, disable=None):
        pixels = analyser.engine.prepare(decode(dataset.paths[row].read_bytes()).pixels)[None]
        features = analyser.engine.run(pixels).features.astype(np.float16).astype(np.float32)
        actual.append(analyser.calibration.probabilities(analyser.head.logits(features))[0])
        expected.append(analyser.calibration.probabilities(logits_of(pixels).astype(np.float32))[0])
    moved = np.abs(np.array(actual) - np.array(expected))
    agree = (np.array(actual).argmax(axis=1) == np.array(expected).argmax(axis=1)).mean()
    print(
        f"{len(rows)} photographs: the same class first {agree:.2%}, probabilities move by at most {moved.max():.4f}"
    )
    if agree < LEAST_AGREEMENT:
        raise SystemExit(f"Fewer than {LEAST_AGREEMENT:.1%} agree.")


def _shipped(analyser: Analyser) -> LogitsOf:
    """TensorFlow on the weights in the file; nothing is rounded on the way to the logits."""
    from tests.mlmodel.onnx_in_tensorflow import compute

    return lambda pixels: analyser.head.logits(np.asarray(compute(analyser.release.backbone, pixels)["features"]))


def _trained(options: argparse.Namespace, analyser: Analyser, dataset: Dataset) -> LogitsOf:
    """Keras on the weights of the run, before they were rounded."""
    recipe, network = load_trained(RunDirectory(options.run), weights=options.weights)
    backbone = build_backbone(base_of(network), side=analyser.engine.input_side, mirrored=analyser.engine.views > 1)
    _, head = split_at_features(network)
    read = np.concatenate([np.arange(FEATURE_COUNT)[stage_slice(stage)] for stage in recipe.pooled_stages])
    trained = dataset.labels[dataset.rows(TRAIN_FOLDS)]
    log_mix = implied_log_mix(trained, sampling=recipe.sampling, loss=recipe.loss)
    to_natural = np.log(drawn_mix(trained, sampling="every-image")) - log_mix

    def logits_of(pixels: np.ndarray) -> np.ndarray:
        pooled = np.asarray(backbone(pixels, training=False)["features"])[:, read]
        logits: np.ndarray = np.asarray(head(pooled, training=False)) + to_natural
        return logits

    return logits_of


if __name__ == "__main__":
    run(main)
