"""Whether the heat map depends on what the network learnt: it must change when weights are randomised.

The model parameter randomisation test of Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018: a map that
does not change shows edges of the image, not reasons. ``research.heat_map HAM10000_DIR --randomise`` prints it;
``tests/mlmodel/network/test_heat_map_randomised.py`` tests the shipped network.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from mlmodel.datasets.dataset import Dataset
from mlmodel.network.engine import Engine
from mlmodel.network.head import Head
from mlmodel.network.heat_map import combined, resized
from mlmodel.network.stages import STAGES
from research.backbone_file import write_randomised
from research.explained import Network, another, photographs
from research.pointing import Floats, means_with_intervals, score

SAME, HEAD, OTHER = "same weights", "head", "map of another photograph"


def rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's rank correlation of two maps, in [-1, 1]; 0 if one of them is constant."""
    ranks = [rankdata(values.ravel()) for values in (one, other)]
    if any(each.min() == each.max() for each in ranks):
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def redrawn_head(head: Head, *, seed: int) -> Head:
    """Return an untrained head, with each feature's weights drawn from a normal distribution of their own scale.

    Features differ in scale by orders of magnitude, and their weights compensate for it; with one scale for all, a few
    features would decide everything. Features that the head does not use stay unused.
    """
    generator = np.random.default_rng(seed)

    def drawn(values: np.ndarray) -> np.ndarray:
        size = np.sqrt(np.square(values).mean(axis=-1, keepdims=True))
        return (generator.standard_normal(values.shape) * size).astype(np.float32)

    return replace(
        head,
        hidden_weights=drawn(head.hidden_weights),
        hidden_bias=drawn(head.hidden_bias),
        output_weights=drawn(head.output_weights),
        output_bias=drawn(head.output_bias),
    )


def print_randomised(model: Path, head: Head, data: Path, dataset: Dataset, rows: Sequence[int]) -> None:
    """Print, for each randomised part of the network, how similar the maps stay and where they point."""
    examples = list(photographs(data, dataset, rows))
    lesions = np.array([dataset.lesions[row] for row, _, _ in examples])
    original = Network(Engine(model), head)
    contributions = [original.parts(pixels) for _, pixels, _ in examples]
    classes, maps = [index for index, _ in contributions], [combined(parts.values()) for _, parts in contributions]
    print(
        f"{len(examples)} photographs of {len(np.unique(lesions))} lesions; maps of {', '.join(contributions[0][1])};"
    )
    print("of the class that the network as trained finds likeliest")
    print(f"{'randomised':36}{'rank correlation':>30}{'points into the lesion, %':>30}{'heat inside, %':>28}")

    def line(name: str, changed: list[Floats]) -> None:
        figures = []
        for (_, _, mask), before, after in zip(examples, maps, changed, strict=True):
            judged = score(np.maximum(resized(after, mask.shape[0]), 0.0), mask)
            figures.append((rank_correlation(before, after), judged.hit * 100, judged.energy * 100))
        alike, hits, inside = means_with_intervals(np.array(figures), lesions)
        cells = [f"{alike[0]:.3f} ({alike[1]:.3f} to {alike[2]:.3f})"]
        cells += [f"{value:.1f} ({low:.1f} to {high:.1f})" for value, low, high in (hits, inside)]
        print(f"{name:36}{cells[0]:>30}{cells[1]:>30}{cells[2]:>28}", flush=True)

    def explained(network: Network) -> list[Floats]:
        return [
            combined(network.parts(pixels, index)[1].values())
            for (_, pixels, _), index in zip(examples, classes, strict=True)
        ]

    line(OTHER, [another(maps, place) for place in range(len(maps))])
    line(HEAD, explained(Network(original.engine, redrawn_head(head, seed=0))))
    names = [stage for stage, _ in STAGES]
    with tempfile.TemporaryDirectory() as folder:
        for stage in (None, *reversed(names)):
            file = Path(folder) / "backbone.onnx"
            write_randomised(model, file, from_stage=stage)
            name = SAME if stage is None else f"backbone, {cascade_name(stage)}"
            line(name, explained(Network(Engine(file), head)))


def cascade_name(stage: str) -> str:
    """Return a description of the blocks randomised from the end back to ``stage``."""
    names = [name for name, _ in STAGES]
    place = names.index(stage)
    first = 1 if place == 0 else int(names[place - 1].removeprefix("block")) + 1
    last = int(names[-1].removeprefix("block"))
    return f"block {first}" if first == last else f"blocks {first} to {last}"
