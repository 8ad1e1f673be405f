"""ABCD measures on the calibration fold: their values, their stability and their cost.

    python -m research.abcd HAM10000_DIR [--each 40 | --cost]

Prints, for up to ``--each`` photographs of each class of fold 7: the median and quartiles of each measure by class;
how much it changes when the photograph is rotated or mirrored, and between the predicted outline and the published
mask; and the time that outlining and measuring add to an analysis (only that with ``--cost``). The folder contains
metadata.csv, images/ and masks/.
"""

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from benchmarks.beginning import run
from mlmodel.datasets.dataset import CALIBRATION_FOLDS, Dataset, read_dataset
from mlmodel.network.analyser import get_analyser
from mlmodel.pictures.picture import Picture, decode
from mlmodel.segmentation.abcd import measure
from mlmodel.segmentation.dermoscopic_colours import present
from mlmodel.segmentation.measuring import Measured, measure_picture
from mlmodel.segmentation.outlines import outlines_of
from mlmodel.segmentation.segmenter import get_segmenter
from mlmodel.taxonomy import CODES
from mlmodel.training.segmenter_training.pairs import read_mask, reduced_mask

MEASURES: dict[str, Callable[[Measured], float | None]] = {
    "asymmetry": lambda m: m.abcd.asymmetry.shape if m.abcd and m.abcd.asymmetry else None,
    "colour asymmetry, ΔE": lambda m: m.abcd.asymmetry.colour if m.abcd and m.abcd.asymmetry else None,
    "compactness": lambda m: m.abcd.border.compactness if m.abcd and m.abcd.border else None,
    "solidity": lambda m: m.abcd.border.solidity if m.abcd and m.abcd.border else None,
    "colours of six": lambda m: float(len(present(m.abcd.colours))) if m.abcd else None,
    "diameter, of the square": lambda m: m.abcd.diameter if m.abcd else None,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=40, help="photographs of each class")
    parser.add_argument("--cost", action="store_true", help="measure only the cost")
    options = parser.parse_args()
    dataset = read_dataset(options.folder)
    rows = _rows(dataset, options.each)
    pictures = {row: decode(dataset.paths[row].read_bytes()) for row in rows}
    if options.cost:
        return _print_cost(list(pictures.values()))
    measures = {row: measure_picture(picture) for row, picture in pictures.items()}
    _print_by_class(dataset, measures)
    _print_colours(dataset, measures)
    _print_steadiness(dataset, pictures, measures)
    _print_cost(list(pictures.values())[:: max(1, len(pictures) // 20)])


def _rows(dataset: Dataset, each: int) -> list[int]:
    rows = np.flatnonzero(dataset.rows(CALIBRATION_FOLDS))
    generator = np.random.default_rng(0)
    chosen = [generator.permutation(rows[dataset.labels[rows] == k])[:each] for k in range(len(CODES))]
    return [int(row) for row in np.concatenate(chosen)]


def _print_by_class(dataset: Dataset, found: dict[int, Measured]) -> None:
    print("\nMedian (quartiles) by class, fold 7; cut lesions have no asymmetry and no border\n")
    print(f"{'':26}" + "".join(f"{code:>20}" for code in CODES))
    by_class = [[m for row, m in found.items() if dataset.labels[row] == k] for k in range(len(CODES))]
    for name, of in MEASURES.items():
        cells = (_quartiles(value for m in rows if (value := of(m)) is not None) for rows in by_class)
        print(f"{name:26}" + "".join(f"{cell:>20}" for cell in cells))
    measured = (f"{np.mean([m.abcd is not None for m in rows]):.0%} of {len(rows)}" for rows in by_class)
    print(f"{'measured':26}" + "".join(f"{cell:>20}" for cell in measured))
    cut = (f"{np.mean([m.segmentation.is_cut for m in rows]):.0%}" for rows in by_class)
    print(f"{'cut by the square':26}" + "".join(f"{cell:>20}" for cell in cut))


def _print_colours(dataset: Dataset, found: dict[int, Measured]) -> None:
    print("\nShare of the measured lesions of a class in which a colour is present\n")
    print(f"{'':26}" + "".join(f"{code:>20}" for code in CODES))
    for colour in ("white", "red", "light_brown", "dark_brown", "blue_grey", "black"):
        cells = []
        for k in range(len(CODES)):
            sets = [present(m.abcd.colours) for row, m in found.items() if dataset.labels[row] == k and m.abcd]
            cells.append(f"{np.mean([colour in each for each in sets]):.0%}" if sets else "–")
        print(f"{colour:26}" + "".join(f"{cell:>20}" for cell in cells))


def _print_steadiness(dataset: Dataset, pictures: dict[int, Picture], found: dict[int, Measured]) -> None:
    changes = {"turned 90°": lambda p: np.rot90(p), "mirrored": lambda p: p[:, ::-1]}
    columns: dict[str, dict[int, Measured]] = {
        name: {row: measure_picture(_changed(pictures[row], change)) for row in found}
        for name, change in changes.items()
    }
    columns["published mask"] = {row: _by_mask(pictures[row], dataset.paths[row], m) for row, m in found.items()}
    print(
        "\nMedian (95th percentile) of how far a measure moves, beside its interquartile range over all photographs\n"
    )
    print(f"{'':26}{'IQR':>10}" + "".join(f"{name:>22}" for name in columns))
    for name, of in MEASURES.items():
        own = {row: value for row, m in found.items() if (value := of(m)) is not None}
        cells = []
        for others in columns.values():
            moved = [abs(value - other) for row, value in own.items() if (other := of(others[row])) is not None]
            cells.append(f"{np.median(moved):.3f} ({np.percentile(moved, 95):.3f})" if moved else "–")
        low, high = np.percentile(list(own.values()), (25, 75))
        print(f"{name:26}{high - low:>10.3f}" + "".join(f"{cell:>22}" for cell in cells))


def _by_mask(picture: Picture, path: Path, predicted: Measured) -> Measured:
    """Return the measures from the published masks, for photographs whose predicted outline was measured too."""
    parts = outlines_of(reduced_mask(read_mask(path)), level=0.5)
    if not parts or predicted.abcd is None:
        return Measured(predicted.segmentation, None, "")
    abcd = measure(picture.square, parts[0], is_cut=predicted.segmentation.is_cut)
    return Measured(predicted.segmentation, abcd, "")


def _changed(picture: Picture, change: Callable[[np.ndarray], np.ndarray]) -> Picture:
    return Picture(np.ascontiguousarray(change(picture.pixels)), picture.format, picture.media_type)


def _print_cost(pictures: list[Picture]) -> None:
    """Print the cost per photograph: the best of five interleaved rounds, so that other load affects all alike.

    Outlining and measuring use one thread, so the thread's CPU time is their cost whatever the load.
    """
    analyser, segmenter = get_analyser(), get_segmenter()
    works: dict[str, Callable[[Picture], object]] = {
        "analysis": analyser.analyse,
        "outline": lambda p: segmenter.segment(p.pixels),
        "outline and measures": measure_picture,
    }
    taken = {name: np.full((2, len(pictures)), np.inf) for name in works}
    for _ in range(5):
        for number, picture in enumerate(pictures):
            for name, work in works.items():
                started = time.perf_counter(), time.thread_time()
                work(picture)
                ended = time.perf_counter(), time.thread_time()
                taken[name][:, number] = np.minimum(taken[name][:, number], np.subtract(ended, started) * 1000)
    print("\nWhat it costs, 224-pixel photographs\n")
    for name, (times, own) in taken.items():
        share = np.median(times) / np.median(taken["analysis"][0])
        print(f"{name:26}{_median_and_late(times)}{share:>8.0%} of analysis", end="")
        print("" if name == "analysis" else f"; of its thread {_median_and_late(own)}")


def _median_and_late(times: np.ndarray) -> str:
    return f"{np.median(times):>8.1f} ms median{np.percentile(times, 95):>8.1f} ms p95"


def _quartiles(values: Iterable[float]) -> str:
    sample = list(values)
    if not sample:
        return "–"
    low, middle, high = np.percentile(sample, (25, 50, 75))
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


if __name__ == "__main__":
    run(main)
