"""Augmentation of photographs and masks within the training step: geometry, colour, hair and black corners."""

from typing import Any

import numpy as np
import tensorflow as tf

_HAIRS = 2


def changed(pairs: Any, seed: Any) -> tuple[Any, Any]:
    """Return augmented photographs, float32 (B, S, S, 3) in [0, 255], and masks, float32 (B, S, S, 1) in [0, 1].

    Args:
        pairs: uint8 (B, S, S, 4): red, green, blue, mask.
        seed: int32 (2,); the same seed gives the same augmentation, for reproducible resumed runs.
    """
    seeds = tf.random.split(seed, 6)
    moved = _moved(tf.cast(pairs, tf.float32), seeds[0])
    pixels, mask = moved[..., :3], moved[..., 3:] / 255.0
    pixels = _softened(pixels, seeds[1])
    pixels = _with_hair(pixels, seeds[2])
    pixels = _recoloured(pixels, seeds[3])
    pixels, mask = _with_black_corners(pixels, mask, seeds[4])
    noise = tf.random.stateless_normal(tf.shape(pixels), seeds[5]) * 2.0
    return tf.clip_by_value(pixels + noise, 0.0, 255.0), mask


def _draw(seed: Any, count: Any, low: Any, high: Any) -> Any:
    return tf.random.stateless_uniform((count,), seed, low, high)


def _moved(values: Any, seed: Any) -> Any:
    """Return copies rotated by any angle, mirrored, zoomed 0.85–1.4 and shifted by up to a tenth, with reflection."""
    count, side = tf.shape(values)[0], values.shape[1]
    seeds = tf.random.split(seed, 5)
    angle = _draw(seeds[0], count, 0.0, 2 * np.pi)
    mirror = tf.where(_draw(seeds[1], count, 0.0, 1.0) < 0.5, -1.0, 1.0)
    scale = tf.exp(_draw(seeds[2], count, np.log(0.7), np.log(1.18)))
    shift_x = _draw(seeds[3], count, -0.1, 0.1) * side
    shift_y = _draw(seeds[4], count, -0.1, 0.1) * side
    a, b = scale * tf.cos(angle) * mirror, -scale * tf.sin(angle)
    d, e = scale * tf.sin(angle) * mirror, scale * tf.cos(angle)
    centre = (side - 1) / 2
    zeros = tf.zeros_like(a)
    transforms = tf.stack(
        [a, b, centre - (a + b) * centre + shift_x, d, e, centre - (d + e) * centre + shift_y, zeros, zeros], axis=1
    )
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=values,
        transforms=transforms,
        output_shape=tf.constant([side, side]),
        interpolation="BILINEAR",
        fill_mode="REFLECT",
        fill_value=0.0,
    )


def _softened(pixels: Any, seed: Any) -> Any:
    """Return copies, half of which are softened, since HAM10000's copies and cameras differ in sharpness."""
    amount = tf.maximum(_draw(seed, tf.shape(pixels)[0], -1.0, 1.0), 0.0)[:, None, None, None]
    blurred = tf.nn.avg_pool2d(tf.nn.avg_pool2d(pixels, 3, 1, "SAME"), 3, 1, "SAME")
    return pixels + amount * (blurred - pixels)


def _recoloured(pixels: Any, seed: Any) -> Any:
    """Return copies with random gain, tint, contrast and saturation."""
    count = tf.shape(pixels)[0]
    seeds = tf.random.split(seed, 4)
    tint = tf.random.stateless_uniform((count, 1, 1, 3), seeds[0], 0.88, 1.12)
    gain, contrast, saturation = (
        _draw(each, count, 0.75, 1.25)[:, None, None, None] for each in (seeds[1], seeds[2], seeds[3])
    )
    mean = tf.reduce_mean(pixels, axis=(1, 2), keepdims=True)
    pixels = mean + (pixels - mean) * contrast
    grey = tf.reduce_mean(pixels, axis=3, keepdims=True)
    return tf.clip_by_value((grey + (pixels - grey) * saturation) * gain * tint, 0.0, 255.0)


def _with_hair(pixels: Any, seed: Any) -> Any:
    """Return copies, a third of which have hairs: thin curved lines, mostly dark."""
    count = tf.shape(pixels)[0]
    side = pixels.shape[1]
    seeds = tf.random.split(seed, 1 + _HAIRS)
    axis = tf.linspace(-1.0, 1.0, side)
    across, down = axis[None, None, :], axis[None, :, None]
    is_hairy = _draw(seeds[0], count, 0.0, 1.0)[:, None, None] < 0.33
    for hair in range(_HAIRS):
        own = tf.random.split(seeds[1 + hair], 5)
        angle = _draw(own[0], count, 0.0, np.pi)[:, None, None]
        offset = _draw(own[1], count, -0.8, 0.8)[:, None, None]
        bend = _draw(own[2], count, -0.5, 0.5)[:, None, None]
        width = _draw(own[3], count, 0.006, 0.02)[:, None, None]
        shade = _draw(own[4], count, 0.0, 90.0)[:, None, None, None]
        along = across * tf.cos(angle) + down * tf.sin(angle)
        off = down * tf.cos(angle) - across * tf.sin(angle) - offset - bend * along * along
        cover = tf.clip_by_value((width - tf.abs(off)) * side / 2 + 0.5, 0.0, 1.0)
        cover = tf.where(is_hairy, cover, 0.0)[..., None]
        pixels = pixels + 0.85 * cover * (shade - pixels)
    return pixels


def _with_black_corners(pixels: Any, mask: Any, seed: Any) -> tuple[Any, Any]:
    """Return copies, one in seven of which have black corners, with masks that exclude them."""
    count = tf.shape(pixels)[0]
    seeds = tf.random.split(seed, 4)
    axis = tf.linspace(-1.0, 1.0, pixels.shape[1])
    radius = _draw(seeds[0], count, 0.85, 1.3)[:, None, None]
    x = axis[None, None, :] - _draw(seeds[1], count, -0.15, 0.15)[:, None, None]
    y = axis[None, :, None] - _draw(seeds[2], count, -0.15, 0.15)[:, None, None]
    has_corners = _draw(seeds[3], count, 0.0, 1.0)[:, None, None] < 0.15
    outside = tf.sigmoid((tf.sqrt(x * x + y * y) - radius) * 30.0)
    outside = tf.where(has_corners, outside, 0.0)[..., None]
    return pixels * (1.0 - 0.95 * outside), mask * tf.cast(outside < 0.5, tf.float32)
