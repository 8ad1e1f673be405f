"""Monitoring alerts: false alarms on ordinary labels, and detection of a faulty network.

    python -m research.watch_alerts DATA [--cache var/features] [--streams 100] [--labels 2000]

DATA is the output of ``manage.py import_ham10000``. A stream is a shuffle of the held-out folds 8–9 with labels,
checked after every 20 labels from the 50th on, up to 2,000. There are two kinds: all photographs are reviewed, or only
those that the network found suspicious, as dermatologists do. Then three faults: an overconfident head (logits three
times as large), a head with its classes shifted by one, and photographs with red and blue exchanged.
"""

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.beginning import run
from benchmarks.scratch import scratch_installation
from mlmodel.datasets.dataset import TEST_FOLDS, read_dataset
from mlmodel.datasets.feature_cache import cached_features
from mlmodel.metrics.performance import CALIBRATION_BINS
from mlmodel.network.analyser import Analyser, get_analyser
from mlmodel.network.head import Floats
from mlmodel.pictures.picture import decode
from mlmodel.taxonomy import CODES, MALIGNANT_CODES

EVERY = 20
EXCHANGED = 300
# Alarms for agreement and calibration; upper end of agreement, share of calibration's limit; number of labels.
Seen = tuple[bool, bool, float, float, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("var/features"))
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--labels", type=int, default=2000, help="labels per stream (2,000)")
    options = parser.parse_args()
    analyser, dataset = get_analyser(), read_dataset(options.data)
    cache = options.cache.resolve() / analyser.backbone_sha256[:16] / "ham10000"
    features = cached_features(dataset.paths, engine=analyser.engine, cache=cache)
    rows = np.flatnonzero(dataset.rows(TEST_FOLDS))
    logits, labels = analyser.head.logits(features[rows].astype(np.float32)), dataset.labels[rows]
    probabilities = analyser.calibration.probabilities(logits)
    malignant = probabilities[:, [CODES.index(code) for code in MALIGNANT_CODES]].sum(axis=1)
    suspicious = np.flatnonzero(malignant >= analyser.operating_points.watch.threshold)
    draw = np.random.default_rng(8)
    with scratch_installation():
        for name, pool in (("all are read", np.arange(len(rows))), ("only the suspicious are read", suspicious)):
            alarms = {"agreement": 0, "calibration": 0}
            nearest = {"agreement": 1.0, "calibration": 0.0}
            looks = 0
            for _stream in range(options.streams):
                order = np.concatenate([draw.permutation(pool) for _ in range(options.labels // len(pool) + 1)])
                order = order[: options.labels]
                seen = list(_looks(analyser, probabilities[order], labels[order]))
                looks += len(seen)
                for place, kind in enumerate(alarms):
                    alarms[kind] += any(look[place] for look in seen)
                nearest["agreement"] = min(nearest["agreement"], *(look[2] for look in seen))
                nearest["calibration"] = max(nearest["calibration"], *(look[3] for look in seen))
            print(
                f"{name}: {options.streams} streams, {looks:,} looks; streams with an alarm: "
                + ", ".join(f"{kind} {count}" for kind, count in alarms.items())
                + f"; lowest upper end of agreement {nearest['agreement']:.2f}, highest share of the calibration's "
                f"limit {nearest['calibration']:.2f}"
            )
        order = draw.permutation(len(rows))
        sure = analyser.calibration.probabilities(3 * logits)
        _print_noticed("too sure by three", _looks(analyser, sure[order], labels[order]))
        rolled = np.roll(probabilities, 1, axis=1)
        _print_noticed("classes out of order", _looks(analyser, rolled[order], labels[order]))
        order = order[:EXCHANGED]
        exchanged = _exchanged(analyser, [dataset.paths[rows[place]] for place in order])
        _print_noticed("red and blue exchanged", _looks(analyser, exchanged, labels[order]))


def _looks(analyser: Analyser, probabilities: Floats, labels: np.ndarray) -> Iterator[Seen]:
    """Check as the hourly task does. Imports here, because Django is set up only now."""
    from django.conf import settings

    from diagnosis.monitoring.hourly_checks import FEWEST_COUNTED, agrees_too_little, is_less_true
    from diagnosis.monitoring.label_agreement import Cell, calibration_of
    from mlmodel.metrics.curves import wilson
    from mlmodel.versions.models import ModelVersion

    version = ModelVersion(pk=1, name=analyser.version, settings=analyser.release.settings)
    confidence, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.floor(confidence * (CALIBRATION_BINS - 0.001)).astype(int)
    for end in range(FEWEST_COUNTED, len(labels) + 1, EVERY):
        cells = []
        for each in np.unique(bins[:end]):
            inside = bins[:end] == each
            mean, agreed = float(confidence[:end][inside].mean()), int(is_right[:end][inside].sum())
            cells.append(Cell(date.today(), 1, int(each), int(inside.sum()), mean, agreed))
        calibration = calibration_of(cells, version)
        assert calibration is not None
        agreed = int(is_right[:end].sum())
        limit = max(settings.WATCH_CALIBRATION_MARGIN, calibration.chance)
        yield (
            agrees_too_little(agreed, end),
            is_less_true(calibration),
            wilson(agreed, end)[1],
            calibration.excess / limit,
            end,
        )


def _print_noticed(name: str, looks: Iterator[Seen]) -> None:
    seen = list(looks)
    print(f"{name}: the upper end of agreement is {seen[-1][2]:.2f} after {seen[-1][4]} labels")
    for place, kind in enumerate(("agreement", "calibration")):
        first = next((look[4] for look in seen if look[place]), None)
        print(f"{name}: {kind} " + (f"noticed after {first} labels" if first else "not noticed"))


def _exchanged(analyser: Analyser, paths: list[Path]) -> Floats:
    features = []
    for path in paths:
        pixels = np.ascontiguousarray(decode(path.read_bytes()).pixels[..., ::-1])
        features.append(analyser.engine.run(analyser.engine.prepare(pixels)[None]).features[0])
    return analyser.calibration.probabilities(analyser.head.logits(np.stack(features).astype(np.float32)))


if __name__ == "__main__":
    run(main)
