"""Augmentation of training photographs, by changes that may occur between two photographs of the same lesion."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance

from mlmodel.training.other_clinics import at_another_clinic

Pixels = npt.NDArray[np.uint8]


def changed(pixels: Pixels, *, side: int, kind: str, generator: np.random.Generator) -> Pixels:
    """Return an augmented photograph for a training step, uint8 (side, side, 3).

    Args:
        pixels: uint8 (S, S, 3), sRGB.
        side: the side of the result.
        kind: ``none``, ``paper``, ``dermatoscope`` or ``other-clinic``.
        generator: the random number generator; the same state gives the same picture.
    """
    if kind == "dermatoscope":
        return _as_another_dermatoscope(pixels, side, generator)
    if kind == "other-clinic":
        return at_another_clinic(pixels, side, generator)
    if kind == "paper":
        return _as_the_paper(pixels, side, generator)
    return resized(pixels, side)


def resized(pixels: Pixels, side: int) -> Pixels:
    """Return uint8 (S, S, 3) as (side, side, 3), by Pillow's bicubic filter (antialiased when it reduces)."""
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))


def _as_another_dermatoscope(pixels: Pixels, side: int, generator: np.random.Generator) -> Pixels:
    """Return a copy that is rotated, mirrored, cropped, softened, relit and tinted at random."""
    full = pixels.shape[0]
    picture = Image.fromarray(np.ascontiguousarray(np.rot90(pixels, int(generator.integers(4)))))
    if generator.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if generator.random() < 0.5:
        picture = _turned(picture, float(generator.uniform(-45.0, 45.0)))
    # A crop of 0.5 to 1 of the area, with an aspect ratio of up to 1.1.
    area, ratio = generator.uniform(0.5, 1.0), generator.uniform(0.9, 1.1)
    width, height = (min(full, full * (area**0.5) * stretch) for stretch in (ratio**0.5, ratio**-0.5))
    left, top = generator.uniform(0, full - width), generator.uniform(0, full - height)
    if generator.random() < 0.5:
        picture = _softened(picture, generator)
    picture = picture.resize((side, side), Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = enhance(picture).enhance(float(generator.uniform(0.8, 1.2)))
    gains = generator.uniform(0.92, 1.08, size=3)
    return np.clip(np.asarray(picture) * gains, 0, 255).astype(np.uint8)


def _turned(picture: Image.Image, degrees: float) -> Image.Image:
    """Return a copy rotated about the centre, with reflection at the edges."""
    side = picture.width
    margin = side // 4
    mirrored = np.pad(np.asarray(picture), ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    turned = Image.fromarray(mirrored).rotate(degrees, Image.Resampling.BICUBIC)
    return turned.crop((margin, margin, margin + side, margin + side))


def _softened(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Return a copy with less detail, in one direction or both, and JPEG compression."""
    side = picture.width
    width = int(side * generator.uniform(0.5, 1.0))
    height = width if generator.random() < 0.5 else side
    file = io.BytesIO()
    picture.resize((width, height), Image.Resampling.BICUBIC).save(
        file, "JPEG", quality=int(generator.integers(60, 96))
    )
    return Image.open(file).resize((side, side), Image.Resampling.BICUBIC)


def _as_the_paper(pixels: Pixels, side: int, generator: np.random.Generator) -> Pixels:
    """Return a copy with rotation to 30°, shifts to 0.2, shear to 0.2, zoom 0.8–1.2, left-right flip, repeated edges.

    This is Keras's ``ImageDataGenerator`` with these settings, as one affine map of the output onto the input. The
    paper does not state shift and shear, so the values are those of Keras's examples.
    """
    angle = np.deg2rad(generator.uniform(-30.0, 30.0))
    shear = np.deg2rad(generator.uniform(-0.2, 0.2))
    zoom_x, zoom_y = generator.uniform(0.8, 1.2, size=2)
    shift = generator.uniform(-0.2, 0.2, size=2) * side
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = rotation @ np.array([[1.0, -np.sin(shear)], [0.0, np.cos(shear)]]) @ np.diag([zoom_x, zoom_y])
    centre = np.full(2, (side - 1) / 2)
    offset = matrix @ (shift - centre) + centre
    margin = side
    padded = np.pad(resized(pixels, side), ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    a, b, d, e = matrix.ravel()
    moved = Image.fromarray(padded).transform(
        (side, side),
        Image.Transform.AFFINE,
        (a, b, offset[0] + margin, d, e, offset[1] + margin),
        Image.Resampling.BILINEAR,
    )
    if generator.random() < 0.5:
        moved = moved.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return np.asarray(moved)
