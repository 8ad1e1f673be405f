"""How much the answers and measurements of two photographs of one lesion differ, though the lesion is the same.

    python -m research.same_lesion DATA [--features var/features] [--count 300]

HAM10000 has several photographs of many lesions, taken with other magnifications, angles or cameras. On fold 7, on
which no network was trained, this prints how far the malignant probability (in log odds) and the measurements of such
pairs lie apart. Their scale is not known, so the error of an area is measured on one photograph that is turned,
shifted, enlarged by a known factor and relit. DATA contains ham10000/.
"""

import argparse
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from benchmarks.beginning import run
from mlmodel.datasets.dataset import CALIBRATION_FOLDS, Dataset, read_dataset
from mlmodel.datasets.feature_cache import cached_features
from mlmodel.network.analyser import get_analyser
from mlmodel.pictures.picture import Picture, decode
from mlmodel.segmentation.dermoscopic_colours import present
from mlmodel.segmentation.measuring import Measured, measure_picture
from mlmodel.taxonomy import CODES, MALIGNANT_CODES

MEASURES: dict[str, Callable[[Measured], float | None]] = {
    "asymmetry": lambda m: m.abcd.asymmetry.shape if m.abcd and m.abcd.asymmetry else None,
    "border, compactness": lambda m: m.abcd.border.compactness if m.abcd and m.abcd.border else None,
    "colours of six": lambda m: float(len(present(m.abcd.colours))) if m.abcd else None,
    "log area, scale not known": lambda m: float(np.log(m.segmentation.area)) if m.abcd else None,
}
# Probabilities are bounded away from 0 and 1 as in diagnosis/record/timeline/same_lesion_spread.py.
LEAST = 0.005


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--features", type=Path, default=Path("var/features"), help="the folder of stored features")
    parser.add_argument("--count", type=int, default=300, help="pairs, and photographs, to be measured")
    options = parser.parse_args()
    dataset = read_dataset(options.data / "ham10000")
    pairs = list(_pairs(dataset))
    print(f"{len(pairs)} pairs of photographs of one lesion, fold {CALIBRATION_FOLDS[0]}")
    _print_probabilities(dataset, pairs, options.features)
    if not options.count:
        return
    chosen = np.random.default_rng(0).permutation(len(pairs))[: options.count]
    _print_measures(dataset, [pairs[index] for index in chosen])
    rows = np.flatnonzero(dataset.rows(CALIBRATION_FOLDS))
    _print_areas(dataset, np.random.default_rng(1).permutation(rows)[: options.count].tolist())


def _pairs(dataset: Dataset) -> Iterable[tuple[int, int]]:
    """Return neighbouring photographs of each lesion that has several."""
    lesions: dict[str, list[int]] = {}
    for row in np.flatnonzero(dataset.rows(CALIBRATION_FOLDS)).tolist():
        lesions.setdefault(str(dataset.lesions[row]), []).append(row)
    return (pair for group in lesions.values() for pair in pairwise(group))


def _print_probabilities(dataset: Dataset, pairs: list[tuple[int, int]], features: Path) -> None:
    analyser = get_analyser()
    cache = features / analyser.backbone_sha256[:16] / "ham10000"
    stored = cached_features(dataset.paths, engine=analyser.engine, cache=cache)
    rows = sorted({row for pair in pairs for row in pair})
    logits = analyser.head.logits(stored[rows].astype(np.float32))
    probabilities = analyser.calibration.probabilities(logits)
    malignant = probabilities[:, [CODES.index(code) for code in MALIGNANT_CODES]].sum(axis=1)
    by_row = dict(zip(rows, malignant.clip(LEAST, 1 - LEAST).tolist(), strict=True))
    points = analyser.released_points
    before, after = (np.array([by_row[pair[end]] for pair in pairs]) for end in (0, 1))
    apart = np.abs(_log_odds(before) - _log_odds(after))
    print(f"watch from {points.watch.threshold:.3f}, urgent from {points.urgent.threshold:.3f}")
    print(f"{'malignant probability, log odds':34}{_quantiles(apart)}")
    middle = (before + after) / 2
    for low, high in ((0, 0.02), (0.02, 0.1), (0.1, 0.5), (0.5, 1)):
        is_between = (middle >= low) & (middle < high)
        if is_between.any():
            print(f"  mean of the two {low:.2f} to {high:.2f} ({is_between.sum():3})  {_quantiles(apart[is_between])}")
    tiers = [[points.tier_of(float(value)) for value in side] for side in (before, after)]
    print(f"the same tier: {np.mean([one is other for one, other in zip(*tiers, strict=True)]):.2f}")


def _print_measures(dataset: Dataset, pairs: list[tuple[int, int]]) -> None:
    rows = {row for pair in pairs for row in pair}
    measured = {row: measure_picture(decode(dataset.paths[row].read_bytes())) for row in rows}
    for name, of in MEASURES.items():
        both = [(of(measured[one]), of(measured[other])) for one, other in pairs]
        apart = np.array([abs(one - other) for one, other in both if one is not None and other is not None])
        print(f"{name:34}{_quantiles(apart)}  {len(apart)} pairs")


def _print_areas(dataset: Dataset, rows: list[int]) -> None:
    """Print how far area and diameter move where the enlargement is known, as after a stated width."""
    generator = np.random.default_rng(2)
    areas, diameters = [], []
    for row in rows:
        picture = decode(dataset.paths[row].read_bytes())
        changed, enlarged = _photographed_again(picture, generator)
        first, second = measure_picture(picture), measure_picture(changed)
        if first.abcd is None or second.abcd is None or first.segmentation.is_cut or second.segmentation.is_cut:
            continue
        areas.append(np.log(second.segmentation.area / first.segmentation.area) - 2 * np.log(enlarged))
        diameters.append(np.log(second.abcd.diameter / first.abcd.diameter) - np.log(enlarged))
    print(f"{'log area, scale known':34}{_quantiles(np.abs(areas))}  {len(areas)} photographs")
    print(f"{'log diameter, scale known':34}{_quantiles(np.abs(diameters))}  {len(diameters)} photographs")


def _photographed_again(picture: Picture, generator: np.random.Generator) -> tuple[Picture, float]:
    """Return the photograph turned, shifted, enlarged and relit, and by how much it is enlarged."""
    image = Image.fromarray(picture.pixels)
    width, height = image.size
    enlarged = float(generator.uniform(1.0, 1.3))
    right, down = (generator.uniform(-0.04, 0.04, 2) * min(width, height)).tolist()
    image = image.rotate(float(generator.uniform(-30, 30)), Image.Resampling.BICUBIC)
    kept = (width / enlarged / 2, height / enlarged / 2)
    centre = (width / 2 + right, height / 2 + down)
    box = (centre[0] - kept[0], centre[1] - kept[1], centre[0] + kept[0], centre[1] + kept[1])
    image = image.resize((width, height), Image.Resampling.BICUBIC, box=_inside(box, width, height))
    image = ImageEnhance.Brightness(image).enhance(float(generator.uniform(0.85, 1.15)))
    image = ImageEnhance.Color(image).enhance(float(generator.uniform(0.85, 1.15)))
    return Picture(np.asarray(image), picture.format, picture.media_type), enlarged


def _inside(box: tuple[float, float, float, float], width: int, height: int) -> tuple[float, float, float, float]:
    """Return the box moved into the picture, without changing its size."""
    left, top, right, bottom = box
    across = max(0.0, -left) - max(0.0, right - width)
    along = max(0.0, -top) - max(0.0, bottom - height)
    return max(left + across, 0.0), max(top + along, 0.0), min(right + across, width), min(bottom + along, height)


def _log_odds(probabilities: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(probabilities / (1 - probabilities)))


def _quantiles(apart: np.ndarray) -> str:
    half, most, nearly_all = np.percentile(apart, (50, 90, 95)) if len(apart) else (np.nan,) * 3
    return f"half within {half:.3f}, 90 % within {most:.3f}, 95 % within {nearly_all:.3f}"


if __name__ == "__main__":
    run(main)
