"""Which photographs the quality check accepts and refuses, on real photographs and degraded copies."""

import json
import math
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from mlmodel.network.quality import SHORTEST_SIDE, Verdict, judge
from mlmodel.pictures.picture import Picture, decode
from tests.places import ROOT

SAMPLES = sorted((ROOT / "static" / "samples").glob("*.jpg"))
each_sample = pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)


def photo(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB")


def verdict_of(image: Image.Image) -> Verdict:
    return judge(picture_of(image)).verdict


def picture_of(image: Image.Image) -> Picture:
    return Picture(pixels=np.asarray(image), format="PNG", media_type="image/png")


def recompressed(image: Image.Image) -> Image.Image:
    """As JPEG 85 after sensor noise, without which blur would be too easy to see."""
    noisy = np.asarray(image) + np.random.default_rng(0).normal(0, 2, np.asarray(image).shape)
    out = BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
    return Image.open(BytesIO(out.getvalue())).convert("RGB")


def exposed(image: Image.Image, factor: float) -> Image.Image:
    return image.point(lambda value: min(255, round(value * factor)))


@each_sample
def test_real_photographs_are_accepted(path):
    assert verdict_of(photo(path)) is Verdict.ACCEPTED


@each_sample
def test_noise_and_compression_alone_refuse_nothing(path):
    assert verdict_of(recompressed(photo(path))) is Verdict.ACCEPTED


@each_sample
@pytest.mark.parametrize("percent", [1.5, 3])
def test_out_of_focus(path, percent):
    image = photo(path)
    blurred = image.filter(ImageFilter.GaussianBlur(percent / 100 * min(image.size)))
    assert verdict_of(recompressed(blurred)) is Verdict.BLURRED


@each_sample
@pytest.mark.parametrize("axis", [0, 1])
def test_shaken(path, axis):
    pixels = np.asarray(photo(path), dtype=np.float32)
    length = min(pixels.shape[:2]) // 10
    total = np.cumsum(np.concatenate([pixels, pixels], axis), axis)  # wrapped round, so that no edge is special
    shaken = (np.roll(total, -length, axis) - total).take(range(pixels.shape[axis]), axis) / length
    assert verdict_of(recompressed(Image.fromarray(shaken.astype(np.uint8)))) is Verdict.BLURRED


@each_sample
def test_exposure(path):
    image = photo(path)
    assert verdict_of(exposed(image, 0.7)) is Verdict.ACCEPTED
    assert verdict_of(exposed(image, 0.2)) is Verdict.TOO_DARK
    assert verdict_of(exposed(image, 4)) is Verdict.TOO_BRIGHT


@pytest.mark.parametrize(
    ("level", "verdict"), [(0, Verdict.TOO_DARK), (255, Verdict.TOO_BRIGHT), (150, Verdict.BLURRED)]
)
def test_one_colour(level, verdict):
    assert verdict_of(Image.new("RGB", (400, 300), (level,) * 3)) is verdict


@each_sample
def test_black_corners_are_the_dermatoscopes_and_not_darkness(path):
    image = photo(path)
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).ellipse((80, 5, 520, 445), fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(3))
    assert verdict_of(Image.composite(image, Image.new("RGB", image.size), mask)) is Verdict.ACCEPTED


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_measures_do_not_depend_on_resolution(scale):
    for path in SAMPLES[:3]:
        image = photo(path)
        resized = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
        first, second = judge(picture_of(image)).measures, judge(picture_of(resized)).measures
        assert second["sharpness"] == pytest.approx(first["sharpness"], rel=0.12)
        assert second["brightness"] == pytest.approx(first["brightness"], abs=2)


def test_less_light_does_not_look_like_blur():
    for path in SAMPLES:
        bright, dim = (judge(picture_of(exposed(photo(path), factor))).measures["sharpness"] for factor in (1, 0.6))
        # only rounding to whole levels, which is coarser in the dark, may differ
        assert dim == pytest.approx(bright, rel=0.1)


def test_too_small():
    image = photo(SAMPLES[0])
    assert verdict_of(image.resize((800, SHORTEST_SIDE - 1))) is Verdict.TOO_SMALL
    assert verdict_of(image.resize((SHORTEST_SIDE + 60, SHORTEST_SIDE))) is Verdict.ACCEPTED


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (2, 3)])
def test_slivers_are_too_small_and_break_nothing(size):
    assert verdict_of(Image.new("RGB", size, (200, 150, 140))) is Verdict.TOO_SMALL


@pytest.mark.parametrize("size", [(1, 1), (600, 450)])
def test_measures_are_fit_for_json(size):
    for level in (0, 128, 255):
        measures = judge(picture_of(Image.new("RGB", size, (level,) * 3))).measures
        assert set(measures) == {"shortest_side", "brightness", "clipped", "sharpness", "red", "blue"}
        assert all(type(value) is float and math.isfinite(value) for value in measures.values())
        assert json.loads(json.dumps(measures, allow_nan=False)) == measures


def test_judging_takes_no_time_worth_naming(photograph):
    picture = decode(photograph)
    judge(picture)
    took = []
    for _ in range(20):
        start = time.thread_time()  # this thread's own work, whatever else the machine does
        judge(picture)
        took.append(time.thread_time() - start)
    assert np.median(took) < 0.03


def test_a_colour_cast_shows_in_red_and_blue():
    grey = judge(picture_of(Image.new("RGB", (224, 224), (127, 127, 127)))).measures
    cast = judge(picture_of(Image.new("RGB", (224, 224), (255, 127, 63)))).measures
    assert (grey["red"], grey["blue"]) == (0.0, 0.0)
    assert (cast["red"], cast["blue"]) == (1.0, -1.0)


@each_sample
def test_measures_that_are_counted_are_what_they_are_called(path):
    picture = picture_of(photo(path))
    luma = np.asarray(Image.fromarray(picture.square).convert("L"), dtype=np.float64)
    red, green, blue = picture.square.reshape(-1, 3).mean(axis=0) + 1

    measures = judge(picture).measures

    assert measures["brightness"] == round(float(np.percentile(luma, 90)), 4)
    assert measures["clipped"] == round(float((luma >= 250).mean()), 4)
    assert measures["red"] == pytest.approx(math.log2(red / green), abs=1e-4)
    assert measures["blue"] == pytest.approx(math.log2(blue / green), abs=1e-4)
