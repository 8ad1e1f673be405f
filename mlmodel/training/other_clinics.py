"""Augmentation that simulates photographs from other clinics.

Crops of 0.35 to 1 of the area with aspect ratios up to 1.25; the black border of an eyepiece, removed or added;
rulers, hair and gel bubbles; other light sources and cameras; and other image processing. All of these are
characteristic of clinics and unrelated to the lesion.
"""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Pixels = npt.NDArray[np.uint8]
Chance = np.random.Generator

_AREA = (0.35, 1.0)
_STRETCH = (1 / 1.25, 1.25)
# Border pixels are darker than this in every channel.
_BLACK = 24


def at_another_clinic(pixels: Pixels, side: int, chance: Chance) -> Pixels:
    """Return an augmented copy, uint8 (side, side, 3), of a photograph, uint8 (S, S, 3).

    Args:
        pixels: sRGB.
        side: the side of the result.
        chance: the random number generator; the same state gives the same picture.
    """
    if chance.random() < 0.7:
        pixels = inside_the_circle(pixels)
    picture = Image.fromarray(np.ascontiguousarray(np.rot90(pixels, int(chance.integers(4)))))
    if chance.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    picture = _cropped(picture, side, chance)
    for probability, draw in ((0.15, _with_hair), (0.15, _with_ruler), (0.1, _with_bubbles)):
        if chance.random() < probability:
            picture = draw(picture, chance)
    values = _relit(np.asarray(picture), chance)
    if chance.random() < 0.15:
        values = _through_an_eyepiece(values, chance)
    if chance.random() < 0.5:
        values = _from_another_file(values, chance)
    return values


def inside_the_circle(pixels: Pixels) -> Pixels:
    """Return the largest centred square without a black border, or the same pixels if there is no border.

    Args:
        pixels: uint8 (S, S, 3).
    """
    side = pixels.shape[0]
    is_dark = pixels.max(axis=2) < _BLACK
    corner = max(side // 12, 1)
    corners = (
        is_dark[:corner, :corner], is_dark[:corner, -corner:], is_dark[-corner:, :corner], is_dark[-corner:, -corner:],
    )  # fmt: skip
    if sum(part.mean() > 0.8 for part in corners) < 3:
        return pixels
    # Follow the diagonals from each corner to the end of the border; for a circle that fills the square it is at 0.15.
    diagonal = np.arange(side)
    ends = []
    for line in (is_dark[diagonal, diagonal], is_dark[diagonal, side - 1 - diagonal]):
        for half in (line[: side // 2], line[side // 2 :][::-1]):
            ends.append(int(np.argmin(half)) if not half.all() else side // 2)
    # No eyepiece covers more than a quarter; dark pixels further in are the lesion.
    margin = min(int(np.median(ends)) + 1, side // 4)
    return pixels[margin : side - margin, margin : side - margin]


def _cropped(picture: Image.Image, side: int, chance: Chance) -> Image.Image:
    """Return a rotated, cropped and stretched copy at ``side``, with reflection beyond the edges."""
    full = picture.width
    area, stretch = chance.uniform(*_AREA), np.exp(chance.uniform(*np.log(_STRETCH)))
    width, height = min(full, full * (area * stretch) ** 0.5), min(full, full * (area / stretch) ** 0.5)
    left, top = chance.uniform(0, full - width), chance.uniform(0, full - height)
    if chance.random() < 0.5:
        return picture.resize((side, side), Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))
    # A rotated crop keeps its size.
    angle = np.deg2rad(chance.uniform(-45.0, 45.0))
    margin = full // 4
    mirrored = Image.fromarray(np.pad(np.asarray(picture), ((margin,) * 2, (margin,) * 2, (0, 0)), mode="reflect"))
    cosine, sine = np.cos(angle), np.sin(angle)
    centre_x, centre_y = left + width / 2 + margin, top + height / 2 + margin
    across, down = width / side, height / side
    a, b = cosine * across, -sine * down
    d, e = sine * across, cosine * down
    middle = (side - 1) / 2
    matrix = (a, b, centre_x - (a + b) * middle, d, e, centre_y - (d + e) * middle)
    if max(across, down) > 2:  # smooth before a strong reduction, to avoid aliasing
        mirrored = mirrored.filter(ImageFilter.BoxBlur(float(max(across, down)) / 2 - 0.5))
    return mirrored.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)


def _with_hair(picture: Image.Image, chance: Chance) -> Image.Image:
    """Return a copy with some dark curved hairs."""
    picture = picture.copy()
    draw = ImageDraw.Draw(picture)
    side = picture.width
    for _ in range(int(chance.integers(2, 12))):
        start, bend, end = chance.uniform(-0.1, 1.1, size=(3, 2)) * side
        steps = np.linspace(0, 1, 16)[:, None]
        curve = (1 - steps) ** 2 * start + 2 * steps * (1 - steps) * bend + steps**2 * end
        colour = tuple(int(value) for value in chance.uniform((10, 5, 0), (90, 65, 50)))
        draw.line([(float(x), float(y)) for x, y in curve], fill=colour, width=int(chance.integers(1, 3)))
    return picture


def _with_ruler(picture: Image.Image, chance: Chance) -> Image.Image:
    """Return a copy with the ticks of a ruler along one side."""
    picture = picture.copy()
    draw = ImageDraw.Draw(picture)
    side = picture.width
    spacing, from_edge = side * chance.uniform(0.02, 0.08), side * chance.uniform(0.0, 0.12)
    colour = (20, 20, 20) if chance.random() < 0.7 else (235, 235, 235)
    for number, place in enumerate(np.arange(chance.uniform(0, spacing), side, spacing)):
        length = side * (0.06 if number % 5 == 0 else 0.03)
        draw.line([(float(place), from_edge), (float(place), from_edge + length)], fill=colour, width=1)
    return picture.rotate(90 * int(chance.integers(4)))


def _with_bubbles(picture: Image.Image, chance: Chance) -> Image.Image:
    """Return a copy with the bright rims of gel bubbles."""
    side = picture.width
    layer = Image.new("RGB", picture.size)
    draw = ImageDraw.Draw(layer)
    for _ in range(int(chance.integers(2, 10))):
        x, y = chance.uniform(0, side, size=2)
        radius = side * chance.uniform(0.01, 0.06)
        light = int(chance.uniform(30, 110))
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], outline=(light, light, light))
    brighter = np.asarray(picture, dtype=np.uint16) + np.asarray(layer)
    return Image.fromarray(np.minimum(brighter, 255).astype(np.uint8))


def _relit(pixels: Pixels, chance: Chance) -> Pixels:
    """Return a copy with strong random changes of brightness, contrast, saturation, colour and gamma."""
    values = pixels.astype(np.float32) / 255.0
    values = values ** np.float32(np.exp(chance.uniform(-0.35, 0.35)))
    values *= (chance.uniform(0.75, 1.25) * np.exp(chance.normal(0.0, 0.07, size=3))).astype(np.float32)
    values = (values - values.mean()) * np.float32(chance.uniform(0.7, 1.3)) + values.mean()
    grey = values.mean(axis=2, keepdims=True)
    values = grey + (values - grey) * np.float32(chance.uniform(0.6, 1.4))
    return np.clip(values * 255.0, 0, 255).astype(np.uint8)


def _through_an_eyepiece(pixels: Pixels, chance: Chance) -> Pixels:
    """Return a copy that is darkened outside a circle with a soft or sharp edge."""
    side = pixels.shape[0]
    centre = side * chance.uniform(0.45, 0.55, size=2)
    radius, softness = side * chance.uniform(0.45, 0.65), side * chance.uniform(0.005, 0.15)
    rows, columns = np.ogrid[:side, :side]
    distance = np.hypot(rows - centre[0], columns - centre[1])
    light = np.clip((radius - distance) / softness, 0.0, 1.0)[..., None]
    return (pixels * light).astype(np.uint8)


def _from_another_file(pixels: Pixels, chance: Chance) -> Pixels:
    """Return a copy with less detail, in one direction or both, slight blur and JPEG compression."""
    side = pixels.shape[0]
    width = max(int(side * chance.uniform(0.4, 1.0)), 8)
    height = width if chance.random() < 0.5 else side
    picture = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    if chance.random() < 0.2:
        picture = picture.filter(ImageFilter.GaussianBlur(chance.uniform(0.3, 1.0)))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=int(chance.integers(50, 96)))
    return np.asarray(Image.open(file).resize((side, side), Image.Resampling.BICUBIC))
