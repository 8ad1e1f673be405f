"""The segmenter, a small U-Net, and its export."""

from pathlib import Path
from typing import Any

import keras
import onnx
import tensorflow as tf

from mlmodel.segmentation.segmenter import INPUT_SIDE
from mlmodel.training.half_precision import store_in_half_precision
from mlmodel.training.onnx_conversion import to_onnx

# Channels at 64, 32, 16, 8 and 4 pixels. Most of the computation is at 32 pixels and below, where it is cheap; the two
# finer levels only refine the border.
_CHANNELS = (12, 32, 64, 96, 96)


def build_segmenter(*, seed: int) -> keras.Model:
    """Return the untrained network, from float32 (B, S, S, 3) in [0, 255] to logits, float32 (B, S, S, 1).

    S is a multiple of 32: training starts with small pictures, at a quarter of the cost, and ends at full size.

    The encoder halves the picture five times, and the decoder adds the encoder's output at each size (Ronneberger et
    al., MICCAI 2015; sums instead of concatenation as in Chaurasia & Culurciello, VCIP 2017). It has about 0.45
    million weights.
    """
    keras.utils.set_random_seed(seed)
    pixels = keras.Input((None, None, 3), name="pixels")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(pixels)
    values = _conv(scaled, _CHANNELS[0], strides=2)
    skips = [values]
    for channels in _CHANNELS[1:]:
        values = _conv(_conv(values, channels, strides=2), channels)
        skips.append(values)
    for skip in reversed(skips[:-1]):
        channels = skip.shape[-1]
        values = keras.layers.Conv2D(channels, 1, use_bias=False)(values)
        values = keras.layers.UpSampling2D(interpolation="bilinear")(values)
        values = _conv(keras.layers.Add()([values, skip]), channels)
    values = keras.layers.Conv2D(4, 1)(values)
    values = keras.layers.UpSampling2D(interpolation="bilinear")(values)
    logits = keras.layers.Conv2D(1, 3, padding="same", name="logits")(keras.layers.Concatenate()([values, scaled]))
    return keras.Model(pixels, logits)


def export_segmenter(model: keras.Model, path: Path) -> None:
    """Write the network as ONNX, from uint8 (B, 128, 128, 3) to ``lesion``, float32 (B, 128, 128) in [0, 1]."""

    def forward(pixels: Any) -> Any:
        logits = model(tf.cast(pixels, tf.float32), training=False)
        return {"lesion": tf.sigmoid(logits[..., 0])}

    proto = to_onnx(forward, pixels=(None, INPUT_SIDE, INPUT_SIDE, 3))
    store_in_half_precision(proto.graph)
    onnx.checker.check_model(proto)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(proto.SerializeToString())
    partial.replace(path)


def _conv(values: Any, channels: int, *, strides: int = 1) -> Any:
    values = keras.layers.Conv2D(channels, 3, strides=strides, padding="same", use_bias=False)(values)
    values = keras.layers.BatchNormalization(momentum=0.95)(values)
    return keras.layers.ReLU()(values)
