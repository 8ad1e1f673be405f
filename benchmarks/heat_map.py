"""Does the heat map point at the lesion? Against HAM10000's lesion masks, on the calibration fold.

    python -m benchmarks.heat_map HAM10000_DIR [--each 12]

Prints, for each choice of stages: how often the brightest point lies in the lesion (the pointing game: Zhang et al.,
IJCV 126:1084, 2018), and how much denser the heat is inside the lesion than it would be if it were spread evenly.
The folder holds metadata.csv, images/ and masks/.
"""

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from mlmodel.analysis import get_analyser
from mlmodel.engine import MAPPED_STAGES
from mlmodel.heat_map import MAP_SIDE, grad_cam
from mlmodel.pictures import decode
from mlmodel.taxonomy import CODES
from mlmodel.training.dataset import CALIBRATION_FOLDS, read_dataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=12, help="photographs of each class")
    options = parser.parse_args()
    choices = [stages for count in (1, 2) for stages in combinations(MAPPED_STAGES, count)]
    found: dict[tuple[str, ...], list[tuple[bool, float]]] = {stages: [] for stages in choices}
    analyser = get_analyser()
    for path in _photographs(options.folder, options.each):
        lesion = _mask(options.folder / "masks" / f"{path.stem}.png")
        if not 0.02 < lesion.mean() < 0.8:
            continue
        output = analyser.engine.run(analyser.engine.prepare(decode(path.read_bytes()).pixels)[None], maps=True)
        features = output.features[0]
        gradient = analyser.head.gradient(features, class_index=int(analyser.head.logits(features[None])[0].argmax()))
        for stages in choices:
            heat = grad_cam({stage: output.maps[stage][0] for stage in stages}, gradient)
            inside = float(heat[lesion].sum() / max(heat.sum(), 1e-9) / lesion.mean())
            found[stages].append((bool(lesion.flat[heat.argmax()]), inside))
    print(f"{'stages':24}{'points into the lesion':>24}{'density inside':>18}   photographs")
    for stages, rows in found.items():
        pointing, density = np.mean(rows, axis=0)
        print(f"{' + '.join(stages):24}{pointing:>24.0%}{density:>17.2f}×   {len(rows)}")


def _photographs(folder: Path, each: int) -> list[Path]:
    dataset = read_dataset(folder)
    rows = np.flatnonzero(dataset.rows(CALIBRATION_FOLDS))
    generator = np.random.default_rng(0)
    chosen = [generator.permutation(rows[dataset.labels[rows] == k])[:each] for k in range(len(CODES))]
    return [dataset.paths[row] for row in np.concatenate(chosen)]


def _mask(path: Path) -> np.ndarray:
    with Image.open(path) as mask:
        return np.asarray(mask.convert("L").resize((MAP_SIDE, MAP_SIDE))) > 127


if __name__ == "__main__":
    main()
