"""Compare the engine's probabilities with the trained network's, photograph by photograph.

    python -m research.agreement DATA --run DIR [--weights NAME] [--count 1000]

DATA is the output of ``manage.py import_ham10000``, DIR the run that the shipped network was built from. The engine
has half-precision weights and rounds features as stored ones are; this prints the resulting difference.
"""

import argparse
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.beginning import run
from mlmodel.datasets.dataset import TRAIN_FOLDS, read_dataset
from mlmodel.metrics.class_mixes import drawn_mix
from mlmodel.network.analyser import get_analyser
from mlmodel.network.stages import FEATURE_COUNT, stage_slice
from mlmodel.pictures.picture import decode
from mlmodel.training.architectures import base_of, split_at_features
from mlmodel.training.backbone import build_backbone
from mlmodel.training.run_folder import RunDirectory
from mlmodel.training.sampling import implied_log_mix
from mlmodel.training.trained import load_trained


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--weights", default="weights.npz")
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    analyser = get_analyser()
    recipe, network = load_trained(RunDirectory(options.run), weights=options.weights)
    backbone = build_backbone(base_of(network), side=analyser.engine.input_side, mirrored=analyser.engine.views > 1)
    _, head = split_at_features(network)
    read = np.concatenate([np.arange(FEATURE_COUNT)[stage_slice(stage)] for stage in recipe.pooled_stages])
    dataset = read_dataset(options.data)
    trained = dataset.labels[dataset.rows(TRAIN_FOLDS)]
    log_mix = implied_log_mix(trained, sampling=recipe.sampling, loss=recipe.loss)
    to_natural = np.log(drawn_mix(trained, sampling="every-image")) - log_mix
    rows = np.random.default_rng(0).permutation(len(dataset.paths))[: options.count]
    actual, expected = [], []
    for row in tqdm(rows, disable=None):
        pixels = analyser.engine.prepare(decode(dataset.paths[row].read_bytes()).pixels)[None]
        features = analyser.engine.run(pixels).features.astype(np.float16).astype(np.float32)
        actual.append(analyser.calibration.probabilities(analyser.head.logits(features))[0])
        pooled = np.asarray(backbone(pixels, training=False)["features"])[:, read]
        logits = np.asarray(head(pooled, training=False)) + to_natural
        expected.append(analyser.calibration.probabilities(logits.astype(np.float32))[0])
    moved = np.abs(np.array(actual) - np.array(expected))
    agree = (np.array(actual).argmax(axis=1) == np.array(expected).argmax(axis=1)).mean()
    print(
        f"{len(rows)} photographs: the same class first {agree:.2%}, probabilities move by at most {moved.max():.4f}"
    )


if __name__ == "__main__":
    run(main)
