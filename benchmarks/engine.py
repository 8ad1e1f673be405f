"""The engine compared with ``keras.Model.predict`` on the same network and photographs.

    python -m benchmarks.engine [--photographs 30] [--rounds 3] [--run DIR [--weights NAME]]

Each side runs in its own process, so that load time and memory are measured separately. They alternate, and each
side's best round counts, because other load only slows them down. With --run (the training run that the release was
built from) Keras has the same weights, and the output includes how much half precision changes the probabilities.
Without it Keras has random weights.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

SAMPLES = Path(__file__).resolve().parent.parent / "static" / "samples"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", default="")
    parser.add_argument("--weights", default="weights.npz")
    parser.add_argument("--side", choices=_SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(_SIDES[options.side](options)))
        return
    rounds = [{side: _in_own_process(side, options) for side in _SIDES} for _ in range(options.rounds)]
    best = {side: _best([figures[side] for figures in rounds]) for side in _SIDES}
    _print_table(best["keras"], best["engine"])


def _best(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the best value of each figure over all rounds."""
    return {key: (max if key == "per_second" else min)(figures[key] for figures in rounds) for key in rounds[0]}


def _in_own_process(side: str, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.engine", "--side", side]
    command += ["--photographs", str(options.photographs), "--run", options.run, "--weights", options.weights]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return figures


def _measure_engine(options: argparse.Namespace) -> dict[str, Any]:
    started = time.perf_counter()
    from mlmodel.network.analyser import get_analyser

    analyser = get_analyser()
    loaded = time.perf_counter() - started
    pictures = _pictures()

    def predict(pixels: np.ndarray) -> np.ndarray:
        features = analyser.engine.run(pixels).features
        return analyser.calibration.probabilities(analyser.head.logits(features))

    return {"load": loaded, **_measure(predict, pictures, options.photographs)}


def _measure_keras(options: argparse.Namespace) -> dict[str, Any]:
    from mlmodel.network.engine import Engine
    from mlmodel.network.head import Head
    from mlmodel.releases.release import load_release

    release = load_release()
    # Read the input format of the shipped file before the timing starts.
    input_format = _shown(Engine(release.backbone))
    started = time.perf_counter()
    import keras

    from mlmodel.training.backbone import build_backbone

    base = build_backbone(_base(options), side=input_format[0], mirrored=input_format[1])
    head = Head.load(release.head)
    hidden = keras.layers.Dense(head.hidden_bias.size, activation="relu")
    output = keras.layers.Dense(head.output_bias.size)
    temperature = release.settings["temperature"]
    answers = keras.layers.Softmax()(output(hidden(base.output["features"])) / temperature)
    model = keras.Model(base.input, answers)
    hidden.set_weights([head.hidden_weights, head.hidden_bias])
    output.set_weights([head.output_weights, head.output_bias])
    loaded = time.perf_counter() - started
    return {
        "load": loaded,
        **_measure(lambda pixels: model.predict(pixels, verbose=0), _pictures(), options.photographs),
    }


def _shown(engine: Any) -> tuple[int, bool]:
    """Return the file's input size, and whether it averages over mirror images."""
    return engine.input_side, engine.views > 1


def _base(options: argparse.Namespace) -> Any:
    """Return the exported base, or without a run the same architecture with random weights."""
    import keras

    from mlmodel.training.architectures import base_of
    from mlmodel.training.run_folder import RunDirectory
    from mlmodel.training.trained import load_trained

    if not options.run:
        return keras.applications.Xception(weights=None, include_top=False, input_shape=(None, None, 3))
    return base_of(load_trained(RunDirectory(Path(options.run)), weights=options.weights)[1])


def _measure(predict: Any, pictures: np.ndarray, photographs: int) -> dict[str, Any]:
    probabilities = np.concatenate([predict(pictures[[n]]) for n in range(len(pictures))])
    times = []
    for n in range(photographs):
        started = time.perf_counter()
        predict(pictures[[n % len(pictures)]])
        times.append(time.perf_counter() - started)
    single = _peak_memory()
    started = time.perf_counter()
    predict(pictures[:8])
    batch = time.perf_counter() - started
    return {
        "p50": float(np.median(times)),
        "p95": float(np.percentile(times, 95)),
        "per_second": 8 / batch,
        "memory": single,
        "batch_memory": _peak_memory(),
        "probabilities": probabilities.tolist(),
    }


def _peak_memory() -> float:
    """Return the peak memory of this process in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _pictures() -> np.ndarray:
    from mlmodel.network.engine import Engine
    from mlmodel.pictures.picture import decode
    from mlmodel.releases.release import load_release

    prepare = Engine(load_release().backbone).prepare
    return np.stack([prepare(decode(path.read_bytes()).pixels) for path in sorted(SAMPLES.glob("*.jpg"))])


def _print_table(keras: dict[str, Any], engine: dict[str, Any]) -> None:
    rows = [
        ("one photograph, p50", "p50", "{:.0f} ms", 1000, False),
        ("one photograph, p95", "p95", "{:.0f} ms", 1000, False),
        ("photographs a second, batch of 8", "per_second", "{:.1f}", 1, True),
        ("import and load", "load", "{:.2f} s", 1, False),
        ("peak memory, one at a time", "memory", "{:.0f} MB", 1, False),
        ("peak memory, batch of 8", "batch_memory", "{:.0f} MB", 1, False),
    ]
    print(f"{'':36}{'Keras':>12}{'engine':>12}{'better':>9}")
    for name, key, form, factor, higher in rows:
        ratio = engine[key] / keras[key] if higher else keras[key] / engine[key]
        cells = (form.format(side[key] * factor) for side in (keras, engine))
        print(f"{name:36}" + "".join(f"{cell:>12}" for cell in cells) + f"{ratio:>8.2f}×")
    print(f"memory of the engine: {engine['memory'] / keras['memory']:.0%} of Keras's")
    moved = np.abs(np.array(keras["probabilities"]) - np.array(engine["probabilities"])).max()
    print(f"largest difference of a probability: {moved:.5f} (only with --run are the weights the same)")


_SIDES = {"keras": _measure_keras, "engine": _measure_engine}

if __name__ == "__main__":
    main()
