"""One photograph with the shipped exit flow alone, and with a second one beside it, in turn.

python -m benchmarks.exit_engine [--rounds 60]
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from mlmodel.analysis import get_analyser
from mlmodel.engine import Engine
from mlmodel.exit_flow import exit_flow_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    shipped, backbone = get_analyser().engine, get_analyser().release.backbone
    content = exit_flow_of(backbone)
    both = Engine(backbone, exit_flow=content)
    side = shipped.input_side
    pixels = np.random.default_rng(1).integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    runs: dict[str, Callable[[], object]] = {
        "the shipped exit flow": lambda: shipped.run(pixels, maps=True),
        "and another beside it": lambda: both.run(pixels, maps=True),
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _round in range(options.rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - started)
    times["to load the second"] = [_seconds(lambda: Engine(backbone, exit_flow=content)) for _ in range(5)]
    first = float(np.median(times["the shipped exit flow"]))
    for name, found in times.items():
        print(f"{name:28}{1000 * float(np.median(found)):>8.1f} ms{float(np.median(found)) / first:>8.2f} ×")


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
