"""From TensorFlow to ONNX, for every network that is served or run by ONNX Runtime."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import onnx
import tensorflow as tf
import tf2onnx

_OPSET = 17


def to_onnx(forward: Callable[[Any], Any], *, pixels: tuple[int | None, ...]) -> onnx.ModelProto:
    """Return ``forward`` as ONNX, with one input called ``pixels``.

    Args:
        forward: from a uint8 tensor to one, or to several by name.
        pixels: its shape; None where it may be of any length.
    """
    signature = (tf.TensorSpec(pixels, tf.uint8, name="pixels"),)
    with _garbage_collected_at_once():
        proto, _ = tf2onnx.convert.from_function(
            tf.function(forward, input_signature=signature), input_signature=signature, opset=_OPSET
        )
    return proto


@contextmanager
def _garbage_collected_at_once() -> Iterator[None]:
    """Keep a conversion to a third of the memory: 2.5 GB for Xception, not 6.7, and no slower.

    Each of its optimisers copies the whole graph, weights included, in circles that wait for a full collection; Python
    puts that off for as long as new objects are few beside all that TensorFlow has made.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.collect()  # of the little that is left: by how much there was then, Python decides when the next is due
    gc.set_threshold(200, 5, 2)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
        gc.collect()
