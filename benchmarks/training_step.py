"""Time of a training step with Keras's own layers and with the layers that training uses.

    python -m benchmarks.training_step [--side 128] [--batch 32] [--steps 5] [--precision bfloat16]

Xception with random weights trains all layers on random pixels with Adam. Both are timed alternately after warm-up
steps.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mlmodel.training.quick_layers import with_quick_layers  # noqa: E402

_ROUNDS = 3
_PLAIN = "Keras's layers"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=128, help="side of the square input in pixels")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=5, help="steps per round, of three rounds")
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default="bfloat16")
    options = parser.parse_args()
    if min(options.side - 70, options.batch, options.steps) < 1:
        parser.error("Give a side of 71 or more, and at least one photograph and one step.")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if options.precision == "float32" else "mixed_bfloat16")
    try:
        _compare(options)
    finally:
        keras.config.set_dtype_policy(before)


def _compare(options: argparse.Namespace) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (options.batch, options.side, options.side, 3))
    shown = tf.constant(pixels / 127.5 - 1.0, tf.float32)
    base = keras.applications.Xception(weights=None, include_top=False, input_shape=(None, None, 3))
    steps = {_PLAIN: _step(base), "quick layers": _step(with_quick_layers(base))}
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(_ROUNDS):
        for name, step in steps.items():
            step(shown)
            begun = time.perf_counter()
            for _ in range(options.steps):
                step(shown)
            taken[name].append((time.perf_counter() - begun) / options.steps)
    print(f"A step of {options.batch} at {options.side} pixels in {options.precision}, best of {_ROUNDS} rounds:")
    plain = min(taken[_PLAIN])
    for name, times in taken.items():
        print(f"  {name:<16} {min(times) * 1000:7.0f} ms   {plain / min(times):4.2f} times as fast")


def _step(base: keras.Model) -> Callable[[tf.Tensor], object]:
    adam = keras.optimizers.Adam(1e-4)
    adam.build(base.trainable_variables)

    @tf.function
    def step(shown: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.cast(base(shown, training=True), tf.float32)))
        adam.apply(tape.gradient(loss, base.trainable_variables), base.trainable_variables)

    return step


if __name__ == "__main__":
    main()
