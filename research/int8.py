"""Eight-bit quantisation: speed and accuracy of the shipped backbone and its quantised copy.

    python -m research.int8 DATA [--count 400] [--calibrated-on 64] [--timed 40]

DATA is the output of ``manage.py import_ham10000``. The copy is quantised statically with ONNX Runtime: weights per
channel, activations by their range on training photographs. Both run alternately on photographs of fold 7. The copy
would be adopted if it were faster and lost less than half a point.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from tqdm import tqdm

from benchmarks.beginning import run
from mlmodel.datasets.dataset import CALIBRATION_FOLDS, TRAIN_FOLDS, Dataset, read_dataset
from mlmodel.metrics import performance
from mlmodel.network.analyser import get_analyser
from mlmodel.network.engine import Engine
from mlmodel.pictures.picture import decode

_SEED = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--count", type=int, default=400, help="Photographs of fold 7.")
    parser.add_argument("--calibrated-on", type=int, default=64)
    parser.add_argument("--timed", type=int, default=40)
    options = parser.parse_args()
    dataset = read_dataset(options.data)
    with tempfile.TemporaryDirectory() as folder:
        shipped = get_analyser().release.backbone
        quantised = _quantised(shipped, Path(folder), dataset, options.calibrated_on)
        engines = {"shipped": Engine(shipped), "eight bits": Engine(quantised)}
        sizes = {"shipped": shipped.stat().st_size, "eight bits": quantised.stat().st_size}
    rows = _drawn(dataset, CALIBRATION_FOLDS, options.count)
    times: dict[str, list[float]] = {name: [] for name in engines}
    features: dict[str, list[Any]] = {name: [] for name in engines}
    for row in tqdm(rows, disable=None):
        pixels = engines["shipped"].prepare(decode(dataset.paths[row].read_bytes()).pixels)[None]
        for name, engine in engines.items():
            started = time.perf_counter()
            features[name].append(engine.run(pixels).features[0])
            times[name].append(time.perf_counter() - started)
    answers = {name: _answers(np.array(values), dataset, rows) for name, values in features.items()}
    print(f"{'':12}{'file':>10}{'p50':>10}{'accuracy':>11}{'balanced':>11}{'same class first':>18}")
    for name, values in answers.items():
        same = (values.probabilities.argmax(axis=1) == answers["shipped"].probabilities.argmax(axis=1)).mean()
        # The last rounds: the first ones warm up the caches.
        print(
            f"{name:12}{sizes[name] / 1e6:>7.1f} MB{np.median(times[name][-options.timed :]) * 1000:>7.1f} ms"
            f"{performance.accuracy(values):>11.3f}{performance.balanced_accuracy(values):>11.3f}{same:>18.1%}"
        )


class _Photographs(CalibrationDataReader):
    """The photographs with which the quantiser calibrates activations."""

    def __init__(self, engine: Engine, paths: list[Path]) -> None:
        self._batches: Iterator[dict[str, Any]] = (
            {"pixels": engine.prepare(decode(path.read_bytes()).pixels)[None]} for path in paths
        )

    def get_next(self) -> dict[str, Any] | None:
        return next(self._batches, None)


def _quantised(shipped: Path, folder: Path, dataset: Dataset, count: int) -> Path:
    single, quantised = folder / "single.onnx", folder / "int8.onnx"
    quant_pre_process(str(shipped), str(single), skip_symbolic_shape=True)
    paths = [dataset.paths[row] for row in _drawn(dataset, TRAIN_FOLDS, count)]
    quantize_static(
        str(single), str(quantised), _Photographs(Engine(shipped), paths), quant_format=QuantFormat.QDQ,
        per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        # Without special CPU instructions, sums of eight-bit products overflow sixteen bits.
        reduce_range=True,
    )  # fmt: skip
    return quantised


def _drawn(dataset: Dataset, folds: tuple[int, ...], count: int) -> list[int]:
    rows = np.flatnonzero(dataset.rows(folds))
    drawn: list[int] = np.random.default_rng(_SEED).permutation(rows)[:count].tolist()
    return drawn


def _answers(features: Any, dataset: Dataset, rows: list[int]) -> performance.Answers:
    analyser = get_analyser()
    logits = analyser.head.logits(features.astype(np.float16).astype(np.float32))
    return performance.Answers(
        probabilities=analyser.calibration.probabilities(logits),
        scores=analyser.calibration.equal_prior_scores(logits),
        labels=dataset.labels[rows],
        lesions=dataset.lesions[rows],
    )


if __name__ == "__main__":
    run(main)
