"""Whether heat maps point at the lesion: scores against HAM10000's lesion masks, compared with a centred map.

    python -m research.heat_map HAM10000_DIR [--each 40]        the shipped network, photographs of fold 7
    python -m research.heat_map HAM10000_DIR --compare block8 block13        and every combination of these stages
    python -m research.heat_map HAM10000_DIR --locked --each 0        all of folds 8 and 9: to report, not to choose
    python -m research.heat_map HAM10000_DIR --randomise --each 10        the maps after randomising weights

HAM10000_DIR contains metadata.csv, images/ and masks/. Nearly every photograph has the lesion in the centre, so a map
of the centre alone scores well: what counts is the difference from it, above all for small or off-centre lesions.
research/heat_map.md explains the figures. Needs the training requirements (scipy, onnx).
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.beginning import run
from mlmodel.datasets.dataset import CALIBRATION_FOLDS, TEST_FOLDS, Dataset, read_dataset
from mlmodel.network.engine import Engine
from mlmodel.network.head import Head
from mlmodel.network.heat_map import combined, resized
from mlmodel.network.stages import STAGES
from mlmodel.releases.release import load_release
from research.backbone_file import write_with_maps
from research.explained import Network, another, chosen_rows, photographs
from research.pointing import (
    OFF_CENTRE,
    SMALL,
    Mask,
    centred,
    even_score,
    is_off_centre,
    is_small,
    means_with_intervals,
    score,
)
from research.randomised_weights import print_randomised

BASELINES = ("map of another photograph", "centre of the image", "even spread")


@dataclass(frozen=True)
class Measured:
    """The scores of heat maps on N photographs.

    Attributes:
        lesions: str (N,).
        small: bool (N,), whether the lesion is small.
        aside: bool (N,), whether it is off-centre.
        scores: float (N, maps, 6): choices of stages first, then ``BASELINES``; the fields of ``Score``.
        variation: by stage, the variation of its part of the logit over the square: mean of deviation times positions.
    """

    lesions: np.ndarray
    small: np.ndarray
    aside: np.ndarray
    scores: np.ndarray
    variation: dict[str, float]


def main() -> None:
    options = _options()
    dataset = read_dataset(options.data)
    rows = chosen_rows(dataset, TEST_FOLDS if options.locked else CALIBRATION_FOLDS, options.each)
    release = load_release()
    model, head = options.model or release.backbone, Head.load(options.head or release.head)
    if options.randomise:
        print_randomised(model, head, options.data, dataset, rows)
        return
    with tempfile.TemporaryDirectory() as folder:
        served = Engine(model).mapped_stages
        if options.compare:
            stages = [stage for stage, _ in STAGES if stage in {*served, *options.compare}]
            write_with_maps(model, Path(folder) / "backbone.onnx", stages)
            model = Path(folder) / "backbone.onnx"
        choices = [served, *(choice for choice in _combinations(options.compare) if choice != served)]
        measured = measure(Network(Engine(model), head), options.data, dataset, rows, choices, options)
    names = [_name(choice) for choice in choices]
    names[0] += " (as it is)"
    print_table(measured, names, options)


def measure(
    network: Network,
    data: Path,
    dataset: Dataset,
    rows: Sequence[int],
    choices: Sequence[tuple[str, ...]],
    options: argparse.Namespace,
) -> Measured:
    """Score the maps of each choice of stages, and the baselines, on each photograph."""
    masks: list[Mask] = []
    maps, lesions, varies = [], [], []
    for row, pixels, mask in photographs(data, dataset, rows):
        _, parts = network.parts(pixels)
        masks.append(mask)
        lesions.append(dataset.lesions[row])
        varies.append([part.std() * part.size for part in parts.values()])
        maps.append([combined(parts[stage] for stage in choice) for choice in choices])
    scores = []
    for place, mask in enumerate(masks):
        side = mask.shape[0]
        heats = [np.maximum(resized(heat, side), 0.0) for heat in (*maps[place], another(maps, place)[0])]
        heats.append(centred(side, width=options.centre_width))
        map_scores = [score(heat, mask, tolerance=options.tolerance) for heat in heats]
        scores.append([astuple(each) for each in (*map_scores, even_score(mask, tolerance=options.tolerance))])
    small, aside = np.array([is_small(mask) for mask in masks]), np.array([is_off_centre(mask) for mask in masks])
    variation = dict(zip(parts, np.mean(varies, axis=0).tolist(), strict=True))
    return Measured(np.array(lesions), small, aside, np.array(scores, dtype=np.float64), variation)


def print_table(found: Measured, names: list[str], options: argparse.Namespace) -> None:
    """Print each subset's figures, one row per map, with differences from the centred map and the first map."""
    print(f"fold{'s 8 and 9' if options.locked else ' 7'}, {options.each or 'all'} photographs of each class at most;")
    print(f"brightest point inside the mask, or up to {options.tolerance:g} of the side from it;")
    print(f"the centre: the middle pixel, and a Gaussian of width {options.centre_width:g} of the side")
    subsets = {
        "all": np.ones(len(found.lesions), dtype=bool),
        f"small: the mask covers less than {SMALL:.0%} of the square": found.small,
        f"off-centre: its centre of mass is farther than {OFF_CENTRE:g} of the side from the middle": found.aside,
    }
    for title, is_in in subsets.items():
        if is_in.any():
            own = found.lesions[is_in]
            print(f"\n{title} ({is_in.sum()} photographs of {len(np.unique(own))} lesions)")
            _print_subset(found.scores[is_in], own, names)
    varies = ", ".join(f"{stage} {value:.2f}" for stage, value in found.variation.items())
    print(f"\nhow much a stage's part of the logit varies over the square: {varies}")
    for column, name in enumerate(names):
        if empty := int(np.isnan(found.scores[:, column, 3]).sum()):
            print(f"nothing to draw (a miss, and an even spread): {name}, {empty} of {len(found.lesions)} photographs")


def _print_subset(scores: np.ndarray, lesions: np.ndarray, names: list[str]) -> None:
    every = [*names, *BASELINES]
    wide, centre = max(map(len, every)) + 2, len(every) - 2
    differences = f"{'less the centre':>24}{'less the first':>24}"
    print(
        f"{'':{wide}}{'points into it, %':>20}{differences}{'heat inside, %':>20}{differences}"
        f"{'density':>18}{'width':>8}{'right, down, %':>18}"
    )
    for column, name in enumerate(every):
        cells = []
        for figure in (0, 1):
            value = 100 * scores[:, :, figure]
            own = value[:, column]
            compared = np.stack([own, own - value[:, centre], own - value[:, 0]], axis=1)
            plain, less_centre, less_first = means_with_intervals(compared, lesions)
            cells.append(f"{_interval(plain):>20}")
            cells.append(f"{_interval(less_centre, sign=True) if column < centre else '':>24}")
            cells.append(f"{_interval(less_first, sign=True) if 0 < column < centre else '':>24}")
        (density,) = means_with_intervals(scores[:, column, 2:3], lesions)
        cells.append(f"{_interval(density, digits=2):>18}")
        drawn = scores[~np.isnan(scores[:, column, 3]), column, 3:]
        if len(drawn):
            width, right, down = drawn.mean(axis=0)
            place = f"{100 * right:+.1f}, {100 * down:+.1f}"
            cells.append(f"{width:>8.2f}{place:>18}")
        print(f"{name:{wide}}{''.join(cells)}", flush=True)


def _combinations(stages: Sequence[str]) -> list[tuple[str, ...]]:
    ordered = [stage for stage, _ in STAGES if stage in stages]
    return [choice for count in range(1, len(ordered) + 1) for choice in combinations(ordered, count)]


def _name(stages: Sequence[str]) -> str:
    return " + ".join(stages)


def _interval(interval: tuple[float, float, float], *, digits: int = 1, sign: bool = False) -> str:
    value, low, high = (f"{each:{'+' if sign else ''}.{digits}f}" for each in interval)
    return f"{value} ({low} to {high})" if sign else f"{value} ({low}–{high})"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--each", type=int, default=40, help="photographs of each class (40); 0 for all")
    parser.add_argument("--compare", nargs="+", default=[], choices=[stage for stage, _ in STAGES], metavar="STAGE")
    parser.add_argument("--locked", action="store_true", help="folds 8 and 9 instead of 7")
    parser.add_argument("--model", type=Path, metavar="FILE", help="another backbone than the shipped one")
    parser.add_argument("--head", type=Path, metavar="FILE", help="another head than the shipped one")
    parser.add_argument("--randomise", action="store_true", help="randomise weights instead, and compare the maps")
    parser.add_argument("--tolerance", type=float, default=0.0, help="of the pointing game, share of the side (0)")
    parser.add_argument("--centre-width", type=float, default=0.2, help="of the centred map, share of the side (0.2)")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
