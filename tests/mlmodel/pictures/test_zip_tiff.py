"""ZIP-compressed TIFFs are inflated once, to the pixels that were stored, and refused where a strip is damaged."""

import zlib
from itertools import product

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from mlmodel.pictures.decoder import decode_bytes
from mlmodel.pictures.picture_errors import BrokenPicture, PictureError
from mlmodel.pictures.tiff import Tiff
from tests.mlmodel.damage import encoded, photograph
from tests.mlmodel.hostile import tiff_of_parts
from tests.mlmodel.quartered import assert_quarters, quarters

HEIGHT, WIDTH = 37, 43
LAYOUTS = list(product(("strips", "tiles", "one strip"), (False, True), (1, 2), "<>"))
# By what it is called: photometric, samples, what the extra ones are.
KINDS = {"white is zero": (0, 1, ()), "grey": (1, 1, ()), "RGB": (2, 3, ()), "with a spare": (2, 4, (0,))}


def values(samples: int, bits: int) -> np.ndarray:
    kind = np.dtype(f"u{bits // 8}")
    return np.random.default_rng(0).integers(0, 1 << bits, (HEIGHT, WIDTH, samples), dtype=kind)


def zipped(pixels: np.ndarray, kind, layout) -> bytes:
    """A TIFF of (H, W, samples), as one of ``KINDS`` and ``LAYOUTS``."""
    photometric, samples, extras = kind
    shape, is_planar, predictor, order = layout
    rows, columns = {"strips": (8, WIDTH), "tiles": (16, 16), "one strip": (HEIGHT, WIDTH)}[shape]
    parts = []
    for plane in np.moveaxis(pixels, -1, 0)[..., None] if is_planar else [pixels]:
        for top, left in product(range(0, HEIGHT, rows), range(0, WIDTH, columns)):
            part = plane[top : top + rows, left : left + columns]
            if shape == "tiles":
                missing = ((0, rows - part.shape[0]), (0, columns - part.shape[1]), (0, 0))
                part = np.pad(part, missing, constant_values=7)
            if predictor == 2:
                part = np.diff(part, axis=1, prepend=np.zeros_like(part[:, :1]))
            parts.append(zlib.compress(part.astype(part.dtype.newbyteorder(order)).tobytes()))
    tags: dict[int, tuple[int, ...]] = {
        256: (WIDTH,), 257: (HEIGHT,), 258: (pixels.itemsize * 8,) * samples, 259: (8,), 262: (photometric,),
        277: (samples,), 284: (2 if is_planar else 1,), 317: (predictor,),
    }  # fmt: skip
    tags |= {322: (columns,), 323: (rows,), 324: ()} if shape == "tiles" else {273: (), 278: (rows,)}
    return tiff_of_parts(tags | ({338: extras} if extras else {}), parts, order)


@pytest.fixture
def by_libtiff(monkeypatch) -> list[object]:
    """What Pillow was asked to decode."""
    asked: list[object] = []
    load = TiffImagePlugin.TiffImageFile.load

    def load_counted(self):
        asked.append(self)
        return load(self)

    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "load", load_counted)
    return asked


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", KINDS)
def test_each_part_is_inflated_once_to_what_was_stored(kind, bits, layout, by_libtiff, monkeypatch):
    photometric, samples, _extras = KINDS[kind]
    stored = values(samples, bits)
    data = zipped(stored, KINDS[kind], layout)
    inflate, inflated = zlib.decompressobj, []

    def inflate_counted():
        inflated.append(1)
        return inflate()

    monkeypatch.setattr(zlib, "decompressobj", inflate_counted)
    found = decode_bytes(data)
    assert (len(inflated), by_libtiff) == (len(Tiff(data).parts), [])
    if samples == 1:
        grey = np.rint(stored / ((1 << bits) - 1) * 255)
        expected = np.repeat(255 - grey if photometric == 0 else grey, 3, axis=-1)
    else:
        expected = stored[..., :3] >> (bits - 8)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK", "P", "1", "LA", "I;16"])
def test_all_kinds_are_read_as_libtiff_does(mode):
    """Those too that are left to it: with it they were inflated twice, once to be checked."""
    image = photograph().resize((90, 70))
    image = Image.new("I;16", image.size, 40_000) if mode == "I;16" else image.convert(mode)
    raw, zipped = (encoded(image, "TIFF", compression=each) for each in (None, "tiff_adobe_deflate"))
    assert np.array_equal(decode_bytes(zipped), decode_bytes(raw))


def test_an_alpha_channel_that_was_never_set_hides_nothing():
    image = photograph().resize((90, 70)).convert("RGBA")
    image.putalpha(0)
    found = decode_bytes(encoded(image, "TIFF", compression="tiff_adobe_deflate"))
    assert np.array_equal(found, np.asarray(image)[..., :3])


def test_a_turned_one_is_upright():
    exif = Image.Exif()
    exif[274] = 3
    assert_quarters(
        np.rot90(decode_bytes(encoded(quarters(), "TIFF", compression="tiff_adobe_deflate", exif=exif)), 2)
    )


@pytest.mark.parametrize("layout", [LAYOUTS[0], LAYOUTS[7], LAYOUTS[8], LAYOUTS[-1]], ids=str)
@pytest.mark.parametrize("kind", [*KINDS, "grey with alpha"])
def test_whatever_is_damaged_in_a_part_is_refused(kind, layout):
    """Also in a part's checksum, and in what libtiff would read after a check."""
    photometric, samples, extras = KINDS.get(kind, (1, 2, (2,)))
    data = zipped(values(samples, 8), (photometric, samples, extras), layout)
    for start, length in Tiff(data).parts[:: max(1, len(Tiff(data).parts) - 1)]:
        for at in (start, start + length // 2, start + length - 5, start + length - 1):
            broken = bytearray(data)
            broken[at] ^= 0x55
            with pytest.raises(BrokenPicture):
                decode_bytes(bytes(broken))


@pytest.mark.parametrize("kind", ["RGB", "grey"])
def test_a_part_that_is_too_short_is_damaged(kind):
    photometric, samples, extras = KINDS[kind]
    whole = values(samples, 8)
    cut = zipped(whole[: HEIGHT - 1], (photometric, samples, extras), ("one strip", False, 1, "<"))
    with pytest.raises(BrokenPicture):
        decode_bytes(cut)


def test_a_tile_of_monstrous_size_fills_no_memory():
    part = zlib.compress(bytes(1 << 20))
    tags: dict[int, tuple[int, ...]] = {
        256: (64,), 257: (64,), 258: (8,), 259: (8,), 262: (1,), 277: (1,), 322: (1 << 20,), 323: (1 << 20,), 324: (),
    }  # fmt: skip
    with pytest.raises(PictureError):
        decode_bytes(tiff_of_parts(tags, [part]))
