"""Drift detection: whether a colour cast raises an alarm and ordinary uploads do not.

    python -m research.drift DATA [--cache var/features] [--ordinary 2000] [--changed 200]

DATA is the output of ``manage.py import_ham10000``. The stream is the held-out folds 8–9, which neither the network
nor the reference has seen. After the ordinary uploads, a third of the following ones get a colour cast (red up by a
fifth, blue down by a third), as from a lamp or a camera's white balance: they are changed and analysed again.

The simple measures (light, sharpness, colour) raise no alarm; the output shows their stability index in ordinary
windows and after the cast.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.beginning import run  # noqa: E402
from mlmodel.datasets.dataset import TEST_FOLDS, read_dataset  # noqa: E402
from mlmodel.datasets.feature_cache import cached_features  # noqa: E402
from mlmodel.network.analyser import get_analyser  # noqa: E402
from mlmodel.network.drift import EVERY, FEWEST, MEASURES, MOVED, WINDOW, DriftReference, read_reference  # noqa: E402
from mlmodel.network.quality import judge  # noqa: E402
from mlmodel.pictures.picture import Picture, decode  # noqa: E402

CAST = np.array([1.2, 1.0, 0.67], np.float32)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("var/features"))
    parser.add_argument("--ordinary", type=int, default=2000, help="uploads before the cast (2,000)")
    parser.add_argument("--changed", type=int, default=200, help="uploads after the cast began (200)")
    options = parser.parse_args()
    ordinary, changed = max(options.ordinary, WINDOW), max(options.changed, EVERY)
    analyser, reference = get_analyser(), read_reference()
    dataset = read_dataset(options.data)
    cache = options.cache / analyser.backbone_sha256[:16] / "ham10000"
    features = cached_features(dataset.paths, engine=analyser.engine, cache=cache)
    draw = np.random.default_rng(8)
    order = draw.permutation(np.flatnonzero(dataset.rows(TEST_FOLDS)))
    # All photographs, then some of the same lesions again, as in a clinic.
    rows = np.resize(order, ordinary + changed)
    scores = reference.project(features[rows])
    quiet = [reference.look(scores[max(0, end - WINDOW) : end]) for end in range(FEWEST, ordinary + 1, EVERY)]
    alarms = sum(look.has_drifted for look in quiet)
    largest = max(look.distance / look.threshold for look in quiet)
    print(
        f"{ordinary:,} ordinary uploads, {len(quiet)} looks: {alarms} alarms; nearest {largest:.2f} of the threshold"
    )
    measures = np.array([_measured(decode(dataset.paths[row].read_bytes())) for row in rows])
    _print_measures(
        "ordinary windows", [_stability(reference, measures, end) for end in range(WINDOW, ordinary + 1, EVERY)]
    )
    for place in range(ordinary, ordinary + changed, 3):
        picture = decode(dataset.paths[rows[place]].read_bytes())
        pixels = np.clip(picture.pixels * CAST, 0, 255).astype(np.uint8)
        measures[place] = _measured(replace(picture, pixels=pixels))
        output = analyser.engine.run(analyser.engine.prepare(pixels)[None])
        scores[place] = reference.project(output.features.astype(np.float16))[0]
    noticed = None
    for end in range(ordinary + EVERY, ordinary + changed + 1, EVERY):
        look = reference.look(scores[end - WINDOW : end])
        print(f"{end - ordinary:4} with a cast on a third: distance {look.distance:.3f}, threshold "
              f"{look.threshold:.3f}, PSI {look.psi:.2f}{'   noticed' if look.has_drifted else ''}")  # fmt: skip
        if look.has_drifted and noticed is None:
            noticed = end - ordinary
    _print_measures("after the cast", [_stability(reference, measures, ordinary + changed)])
    print(f"noticed after {noticed} uploads" if noticed else "not noticed")
    return 0 if noticed and not alarms else 1


def _measured(picture: Picture) -> list[float]:
    measures = judge(picture).measures
    return [measures[name] for name in MEASURES]


def _stability(reference: DriftReference, measures: np.ndarray, end: int) -> list[float]:
    window = measures[end - WINDOW : end]
    looks = reference.look_at_measures(dict(zip(MEASURES, window.T, strict=True)))
    return [look.psi for look in looks]


def _print_measures(name: str, indices: list[list[float]]) -> None:
    largest = np.max(indices, axis=0)
    moved = (np.array(indices) > MOVED).mean(axis=0)
    words = (
        f"{m} {psi:.2f} ({share:.0%} above {MOVED})" for m, psi, share in zip(MEASURES, largest, moved, strict=True)
    )
    print(f"stability index of the measures, {name}, the largest of {len(indices)}: " + ", ".join(words))


if __name__ == "__main__":
    run(main)
