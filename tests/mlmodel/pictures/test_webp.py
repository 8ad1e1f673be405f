"""WebP is decoded once, to the pixels that Pillow gives, and refused where data were left over or are missing."""

import io
from itertools import product

import numpy as np
import pytest
from PIL import Image, WebPImagePlugin

from mlmodel.pictures import webp as picture_webp
from mlmodel.pictures.decoder import decode_bytes
from mlmodel.pictures.picture_errors import BrokenPicture
from tests.mlmodel.damage import encoded, photograph, zeroed
from tests.mlmodel.quartered import assert_quarters, quarters

EXIF = Image.Exif()
EXIF[274] = 6


def see_through() -> Image.Image:
    image = quarters().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def on_nothing(image: Image.Image) -> Image.Image:
    """The middle of a picture, on what can be seen through: all that is stored of it as a frame."""
    canvas = Image.new("RGBA", image.size)
    width, height = image.size
    canvas.paste(image.crop((width // 4, height // 4, width // 2, height // 2)), (width // 3, height // 3))
    return canvas


WHOLE = {
    "lossy": encoded(photograph(), "WEBP", quality=90),
    "lossless": encoded(photograph(), "WEBP", lossless=True, quality=0, method=0),
    "lossy, see-through": encoded(see_through(), "WEBP", quality=90),
    "lossless, see-through": encoded(see_through(), "WEBP", lossless=True),
    "with metadata after the picture": encoded(photograph(), "WEBP", quality=80, exif=EXIF, xmp=b"<x/>" * 50),
    "odd sizes": encoded(photograph().crop((0, 0, 301, 97)), "WEBP", quality=70),
    "one pixel": encoded(Image.new("RGB", (1, 1), (9, 9, 9)), "WEBP"),
    "moving": encoded(photograph(), "WEBP", quality=90, save_all=True, append_images=[photograph(1)]),
    "moving, lossless": encoded(photograph(), "WEBP", lossless=True, save_all=True, append_images=[photograph(1)]),
    "moving, see-through": encoded(see_through(), "WEBP", quality=90, save_all=True, append_images=[quarters()]),
    "moving, smaller than its canvas": encoded(
        on_nothing(quarters()), "WEBP", lossless=True, save_all=True, append_images=[quarters()]
    ),
}


@pytest.fixture(params=["at once", "apart"])
def way(request, monkeypatch) -> str:
    """How whole data are told: by libwebp on the way, or, where it cannot be reached, by decoding them shortened."""
    if request.param == "apart":
        monkeypatch.setattr(picture_webp, "_library", None)
    else:
        assert picture_webp._library is not None
    return str(request.param)


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_picture_has_the_pixels_that_pillow_gives(kind, way):
    shown = Image.open(io.BytesIO(WHOLE[kind])).convert("RGBA")
    white = Image.new("RGBA", shown.size, "white")
    expected = np.asarray(Image.alpha_composite(white, shown).convert("RGB")).astype(int)
    if kind.startswith("with metadata"):
        expected = np.rot90(expected, -1)
    found = decode_bytes(WHOLE[kind])
    assert np.abs(found - expected).max() <= (1 if "see-through" in kind else 0)


@pytest.mark.parametrize(
    ("kind", "at"),
    [
        *product(("lossy", "lossless", "with metadata after the picture"), (0.0, 0.3, 0.7, 1.0)),
        # Of the other frames nothing is read.
        *product(("moving", "moving, lossless"), (0.0, 0.2)),
    ],
)
def test_a_zeroed_block_is_damage(kind, at, way):
    with pytest.raises(BrokenPicture):
        decode_bytes(zeroed(WHOLE[kind], at, 2048))


@pytest.mark.parametrize("kind", WHOLE)
def test_what_is_cut_is_damage_and_what_follows_the_end_is_none(kind, way):
    data = WHOLE[kind]
    for length in (len(data) // 2, len(data) - 3):
        with pytest.raises(BrokenPicture):
            decode_bytes(data[:length])
    assert np.array_equal(decode_bytes(data + b"trailing" * 9), decode_bytes(data))


def test_the_profile_and_the_turn_of_a_picture_are_kept(way):
    turned = encoded(quarters().transpose(Image.Transpose.ROTATE_90), "WEBP", lossless=True, exif=EXIF)
    assert_quarters(decode_bytes(turned))


@pytest.mark.parametrize("kind", [kind for kind in WHOLE if kind.startswith(("lossy", "moving"))])
def test_it_is_decoded_once(monkeypatch, kind):
    asked: list[object] = []
    monkeypatch.setattr(WebPImagePlugin.WebPImageFile, "load", lambda self: asked.append(self))
    assert decode_bytes(WHOLE[kind]).ndim == 3
    assert asked == []
