"""Alignment of two photographs of one lesion, on real pairs and on photographs altered in known ways.

    python -m benchmarks.alignment [--data /path/to/ham10000] [--lesions 24] [--growth 0.3]

Needs a folder with metadata.csv (image_id, lesion_group, fold) and images/ for the real pairs: several photographs of
one lesion in HAM10000. Without one it uses static/samples, of which there is one photograph a lesion. Held-out folds
are left out. Half of the lesions are for choosing thresholds and margins, half for reporting; both are printed.

Errors are root mean squares over the outline, in per cent of the lesion's longest diameter: against the truth where
the photograph was altered, and forward then backward (first to second to first) where the pair is real. Where the
lesion grew they are taken on the skin 1.6 times as far from its centre.
"""

import argparse
import csv
import hashlib
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.altered import altered
from mlmodel.alignment.aligning import Alignment, align
from mlmodel.alignment.changes import colour_difference, log_area_ratio
from mlmodel.alignment.similarity import points_of
from mlmodel.pictures.picture import Picture, centre_square
from mlmodel.segmentation.measuring import measure_picture
from mlmodel.segmentation.outlines import Outline, evenly_spaced, longest_diameter

SAMPLES = Path(__file__).resolve().parent.parent / "static" / "samples"
HELD_OUT = {"-1", "8", "9"}
_MEASURES = ("area", "colour", "asymmetry", "border")


@dataclass(frozen=True)
class Photo:
    pixels: npt.NDArray[np.uint8]
    values: dict[str, Any]

    @property
    def outline(self) -> Outline | None:
        """The outline, where it is reliable and whole."""
        if self.values["doubt"] is not None or self.values["is_cut"]:
            return None
        return np.array(self.values["outline"])


@dataclass
class Outcome:
    """What came of one lesion; of a list of these, tables are made."""

    half: str
    rows: dict[str, list[dict[str, float]]] = field(default_factory=lambda: defaultdict(list))
    seconds: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--lesions", type=int, default=24)
    parser.add_argument("--growth", type=float, default=0.3, help="share by which areas grow (0.3: three tenths)")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    lesions = list(_chosen(options.data, options.lesions))
    others = lesions[1:] + lesions[:1]
    jobs = [(own, other[0], options.growth) for own, other in zip(lesions, others, strict=True)]
    if options.processes > 1:
        with ProcessPoolExecutor(options.processes) as pool:
            outcomes = list(pool.map(_measured, jobs))
    else:
        outcomes = [_measured(job) for job in jobs]
    _print(outcomes, options.growth)


def _chosen(data: Path | None, count: int) -> Iterator[tuple[Path, ...]]:
    """Yield the photographs of ``count`` lesions, the same in every run."""
    if data is None:
        for path in sorted(SAMPLES.glob("*.jpg"))[:count]:
            yield (path,)
        return
    with (data / "metadata.csv").open(encoding="utf-8", newline="") as file:
        groups: dict[str, list[str]] = defaultdict(list)
        for row in csv.DictReader(file):
            if row["fold"] not in HELD_OUT:
                groups[row["lesion_group"]].append(row["image_id"])
    pairs = [ids for _lesion, ids in sorted(groups.items()) if len(ids) > 1]
    for ids in random.Random(1).sample(pairs, min(count, len(pairs))):
        yield tuple(data / "images" / f"{name}.jpg" for name in sorted(ids)[:2])


def _measured(job: tuple[tuple[Path, ...], Path, float]) -> Outcome:
    paths, stranger, growth = job
    seed = int(hashlib.sha256(paths[0].name.encode()).hexdigest()[:8], 16)
    outcome, numbers = Outcome("choose" if seed % 2 else "report"), np.random.default_rng(seed)
    own = _photo(np.asarray(Image.open(paths[0]).convert("RGB")))
    strange = _photo(np.asarray(Image.open(stranger).convert("RGB")))
    _compare(outcome, "two lesions", own, strange)
    if len(paths) > 1:
        second = _photo(np.asarray(Image.open(paths[1]).convert("RGB")))
        there = _compare(outcome, "real pair", own, second)
        if there is not None and own.outline is not None:
            back = _align(outcome, second, own)
            row = outcome.rows["real pair"][-1]
            if back.refusal is None:
                points = points_of(evenly_spaced(own.outline, 60))
                off = back.to_second(there.to_second(points)) - points
                row["error"] = _rms(off) / longest_diameter(own.outline)
    if own.outline is None:
        return outcome
    for name, by in (("altered", 0.0), ("altered, grown", growth)):
        made = altered(own.pixels, own.outline, growth=by, random=numbers)
        found = _compare(outcome, name, own, _photo(made.pixels))
        if found is not None:
            # On the skin just outside the lesion, which growth hardly moves.
            centre = points_of(own.outline).mean()
            points = centre + (points_of(evenly_spaced(own.outline, 60)) - centre) * (1.0 if not by else 1.6)
            off = found.to_second(points) - made.to_second(points)
            outcome.rows[name][-1]["error"] = _rms(off) / made.to_second.scale / longest_diameter(own.outline)
    return outcome


def _photo(pixels: npt.NDArray[np.uint8]) -> Photo:
    square = np.ascontiguousarray(centre_square(pixels))
    return Photo(square, measure_picture(Picture(square, "JPEG", "image/jpeg")).as_values())


def _align(outcome: Outcome, first: Photo, second: Photo) -> Alignment:
    started = time.process_time()
    found = align(first.pixels, second.pixels, outlines=(first.outline, second.outline))
    outcome.seconds.append(time.process_time() - started)
    return found


def _compare(outcome: Outcome, name: str, first: Photo, second: Photo) -> Alignment | None:
    """Add a row; return the alignment unless it was refused."""
    found = _align(outcome, first, second)
    row = {
        "refused": float(found.refusal is not None),
        "agreeing": float(found.agreeing),
        "share": found.agreeing / max(found.matched, 1),
    }
    if first.outline is not None and second.outline is not None:
        if found.is_by_skin:
            row["area"] = log_area_ratio(first.values, second.values, scale=found.to_second.scale)
        row["asymmetry"] = second.values["asymmetry"]["shape"] - first.values["asymmetry"]["shape"]
        row["border"] = float(np.log(second.values["border"]["compactness"] / first.values["border"]["compactness"]))
        row["colour"] = colour_difference(first.values["colours"], second.values["colours"])
    outcome.rows[name].append(row)
    return None if found.refusal is not None else found


def _rms(off: npt.NDArray[np.complex128]) -> float:
    return float(np.sqrt((np.abs(off) ** 2).mean()))


def _print(outcomes: list[Outcome], growth: float) -> None:
    seconds = [each for outcome in outcomes for each in outcome.seconds]
    print(f"{len(outcomes)} lesions; {len(seconds)} alignments, {np.median(seconds):.2f} s of a processor each\n")
    print(f"{'':8}{'pairs':16}{'number':>8}{'refused':>9}{'error, median':>15}{'p95':>8}{'largest agreement':>19}")
    for half in ("choose", "report"):
        for name in ("real pair", "altered", "altered, grown", "two lesions"):
            rows = _rows(outcomes, half, name)
            errors = [100 * row["error"] for row in rows if "error" in row]
            middle, high = (f"{np.percentile(errors, q):.2f} %" if errors else "–" for q in (50, 95))
            refused = f"{100 * np.mean([row['refused'] for row in rows]):.0f} %" if rows else "–"
            agreeing = max((int(row["agreeing"]) for row in rows), default=0)
            print(f"{half:8}{name:16}{len(rows):>8}{refused:>9}{middle:>15}{high:>8}{agreeing:>19}")
    print("\nDifferences between two photographs of one lesion (95 of 100 are smaller), real pairs that are aligned:")
    for half in ("choose", "report"):
        rows = [row for row in _rows(outcomes, half, "real pair") if not row["refused"]]
        figures = {name: [abs(row[name]) for row in rows if name in row] for name in _MEASURES}
        print(f"{half:8}" + "  ".join(f"{name} {_p95(values)} of {len(values)}" for name, values in figures.items()))
    print(f"\nArea against the skin around it, where the lesion grew by {100 * growth:.0f} %:")
    _print_growth(outcomes, growth)


def _print_growth(outcomes: list[Outcome], growth: float) -> None:
    """Print how often growth is seen at the threshold that sees 9 of 10 of the chosen half, and false changes."""

    def areas(half: str, name: str) -> list[float]:
        return [row["area"] for row in _rows(outcomes, half, name) if "area" in row and not row["refused"]]

    grown = areas("choose", "altered, grown")
    if not grown:
        print("no lesion of the chosen half could be measured")
        return
    threshold = float(np.percentile(grown, 10))
    print(f"threshold {threshold:.2f} (logarithm of the ratio), which 9 of 10 of the chosen half exceed")
    for half in ("choose", "report"):
        seen = [value >= threshold for value in areas(half, "altered, grown")]
        print(f"{half:8}grown: {sum(seen)} of {len(seen)} seen", end="")
        for name in ("altered", "real pair"):
            false = [abs(value) >= threshold for value in areas(half, name)]
            print(f";  {name}, not grown: {sum(false)} of {len(false)} called changed", end="")
        print()
        if seen:
            print(
                f"{'':8}median growth {np.median(areas(half, 'altered, grown')):.2f}, truth {np.log(1 + growth):.2f}"
            )


def _rows(outcomes: list[Outcome], half: str, name: str) -> list[dict[str, float]]:
    return [row for outcome in outcomes if outcome.half == half for row in outcome.rows[name]]


def _p95(values: list[float]) -> str:
    return f"{np.percentile(values, 95):.2f}" if values else "–"


if __name__ == "__main__":
    main()
