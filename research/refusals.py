"""Refusals by the quality and in-domain checks together, on folders of photographs.

    python -m research.refusals DATA [--ham10000 DATASET]

DATA contains uploads/ and phone/ (lesions, to be accepted) and not_skin/ (to be refused). The in-domain check was
trained on phone/ and not_skin/: for those, use the model card's cross-validated figures instead. DATASET is the output
of import_ham10000, with masks in DATA/ham10000/masks: its fold 7 (to be accepted), and enlarged squares of bare skin
cut from next to its lesions (to be refused).
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable
from itertools import product
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from benchmarks.beginning import run
from mlmodel.datasets.dataset import CALIBRATION_FOLDS, read_dataset
from mlmodel.network.analyser import get_analyser
from mlmodel.network.quality import DARKEST, Verdict
from mlmodel.pictures.picture import Picture, decode
from mlmodel.pictures.picture_files import find_pictures
from mlmodel.segmentation.segmenter import get_segmenter

FOLDERS = ("uploads", "phone", "not_skin")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--ham10000", type=Path)
    arguments = parser.parse_args()
    folder = arguments.data
    print(f"{'':12}" + "".join(f"{verdict:>12}" for verdict in Verdict))
    for name in FOLDERS:
        _print_row(name, [decode(path.read_bytes()) for path in find_pictures(folder / name).pictures])
    if arguments.ham10000:
        dataset = read_dataset(arguments.ham10000)
        rows = np.flatnonzero(dataset.rows(CALIBRATION_FOLDS))
        _print_row("fold 7", [decode(dataset.paths[row].read_bytes()) for row in rows])
        sharp = [dataset.paths[row] for row in rows if dataset.copies[row] == "sharp"]
        skin = (_bare_skin(path, folder / "ham10000" / "masks") for path in sharp)
        _print_row("bare skin", [picture for picture in skin if picture is not None])
    _print_cost(decode(next(iter(find_pictures(folder / "uploads").pictures)).read_bytes()))


def _print_cost(picture: Picture) -> None:
    """Print the share of an analysis that the check for a lesion takes."""
    whole = _median_ms(lambda: get_analyser().analyse(picture))
    lesion = _median_ms(lambda: get_segmenter().segment(picture.pixels))
    print(f"\nan answer {whole:.0f} ms, of which “is there a lesion” {lesion:.0f} ms")


def _median_ms(work: Callable[[], object]) -> float:
    work()
    taken = []
    for _ in range(30):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return 1000 * median(taken)


def _print_row(name: str, pictures: list[Picture]) -> None:
    if not pictures:
        print(f"{name:12}   none")
        return
    verdicts = Counter(get_analyser().analyse(picture).quality.verdict for picture in pictures)
    shares = "".join(f"{verdicts[verdict] / len(pictures):>12.1%}" for verdict in Verdict)
    print(f"{name:12}{shares}   of {len(pictures)}")


def _bare_skin(path: Path, masks: Path) -> Picture | None:
    """Return an enlarged corner of the photograph without the lesion, or None."""
    mask_path = next(masks.glob(f"{path.stem}*"), None)
    if mask_path is None:
        return None
    with Image.open(path) as photograph, Image.open(mask_path) as drawn:
        mask = np.asarray(drawn.convert("L").resize(photograph.size)) > 0
        side = min(photograph.size) * 36 // 100
        for left, top in product((0, photograph.width - side), (0, photograph.height - side)):
            corner = (left, top, left + side, top + side)
            with_margin = mask[max(0, top - 6) : top + side + 6, max(0, left - 6) : left + side + 6]
            enlarged = photograph.convert("RGB").crop(corner).resize((299, 299), Image.Resampling.BICUBIC)
            pixels = np.asarray(enlarged)
            # A dermatoscope's black corner is not skin.
            if not with_margin.any() and pixels.mean() >= DARKEST:
                return Picture(pixels, "PNG", "image/png")
    return None


if __name__ == "__main__":
    run(main)
