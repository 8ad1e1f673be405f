"""Colours of unusual JPEGs, and profiles of another kind of pixels: converted correctly or refused with a reason."""

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageCms, TiffImagePlugin

from mlmodel.pictures.colour_profiles import Colours
from mlmodel.pictures.decoder import decode_bytes
from mlmodel.pictures.picture import decode
from mlmodel.pictures.picture_errors import UnsupportedPicture
from mlmodel.pictures.tiff import Tiff
from tests.mlmodel import hostile
from tests.mlmodel.damage import encoded, photograph
from tests.mlmodel.quartered import assert_quarters, quarters, saved

ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def without_marker(data: bytes, marker: bytes) -> bytes:
    at = data.index(b"\xff" + marker)
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


def with_adobe(data: bytes, transform: int) -> bytes:
    """The same coded data, with Adobe's marker in the place of JFIF's."""
    return data[:2] + ADOBE + bytes([transform]) + without_marker(data, b"\xe0")[2:]


def ycck() -> bytes:
    """CMYK as Photoshop stores it: inverted, and turned to YCCK."""
    inverted = 255 - np.asarray(quarters().convert("CMYK"))
    data = simplejpeg.encode_jpeg(
        np.ascontiguousarray(inverted), quality=95, colorspace="CMYK", colorsubsampling="444"
    )
    assert ADOBE + b"\x02" in data
    return data


def cmyk() -> bytes:
    data = saved(quarters().convert("CMYK"), "JPEG", quality=95)
    assert ADOBE + b"\x00" in data
    return data


WHOLE = {
    "inverted CMYK": cmyk(),
    "YCCK": ycck(),
    "RGB by Adobe's marker": saved(quarters(), "JPEG", quality=95, keep_rgb=True),
    "RGB by its components' names": without_marker(saved(quarters(), "JPEG", quality=95, keep_rgb=True), b"\xee"),
    "YCbCr by Adobe's marker": with_adobe(saved(quarters(), "JPEG", quality=95), 1),
    "YCbCr without any marker": without_marker(saved(quarters(), "JPEG", quality=95), b"\xe0"),
    # A marker of JFIF goes before Adobe's, as in libjpeg and every browser.
    "YCbCr by JFIF's marker": saved(quarters(), "JPEG", quality=95).replace(b"\xff\xdb", ADOBE + b"\x00\xff\xdb", 1),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_colours_of_a_jpeg_are_read_as_they_are_stored(kind):
    assert_quarters(decode(WHOLE[kind]).pixels, tolerance=6)


@pytest.mark.parametrize(
    "data",
    [
        without_marker(cmyk(), b"\xee"),  # it is unknown whether it is inverted
        without_marker(ycck(), b"\xee"),
        with_adobe(saved(quarters(), "JPEG", quality=95), 2),
        cmyk().replace(ADOBE + b"\x00", ADOBE + b"\x01"),
    ],
    ids=["CMYK without a marker", "YCCK without a marker", "three components as YCCK", "four components as YCbCr"],
)
def test_colours_that_nobody_can_tell_are_refused_in_words(data):
    with pytest.raises(UnsupportedPicture, match="colours of this picture are coded in an unusual way"):
        decode(data)


def test_cmyk_in_a_tiff_is_not_inverted():
    for options in ({}, {"compression": "tiff_lzw"}):
        assert_quarters(decode(saved(quarters().convert("CMYK"), "TIFF", **options)).pixels, tolerance=1)
    jpegs = saved(quarters().convert("CMYK"), "TIFF", compression="jpeg", quality=95)
    assert_quarters(decode(jpegs).pixels, tolerance=6)


def test_inks_other_than_cmyk_are_unsupported():
    pixels = quarters().convert("CMYK").tobytes()
    tags = {256: (96,), 257: (64,), 258: (8,) * 4, 259: (1,), 262: (5,), 273: (), 277: (4,), 278: (64,)}
    assert_quarters(decode(hostile.tiff_of_parts({**tags, 332: (1,)}, [pixels])).pixels, tolerance=1)
    with pytest.raises(UnsupportedPicture):
        decode(hostile.tiff_of_parts({**tags, 332: (2,)}, [pixels]))


def grey_profile(gamma: float) -> bytes:
    """A profile of greys whose curve is a power."""
    white = b"XYZ " + bytes(4) + b"".join(round(v * 65536).to_bytes(4, "big") for v in (0.9642, 1.0, 0.8249))
    curve = b"curv" + bytes(4) + (1).to_bytes(4, "big") + round(gamma * 256).to_bytes(2, "big") + bytes(2)
    entries = b"wtpt" + (156).to_bytes(4, "big") + (20).to_bytes(4, "big")
    entries += b"kTRC" + (176).to_bytes(4, "big") + (14).to_bytes(4, "big")
    body = (2).to_bytes(4, "big") + entries + white + curve
    header = bytearray(SRGB[:128])
    header[:4], header[16:20] = (128 + len(body)).to_bytes(4, "big"), b"GRAY"
    return bytes(header) + body


def rgb_profile(gamma: float) -> bytes:
    """sRGB's primaries with another curve: Pillow writes no such profile, our own conversion has one."""
    profile = Colours(gamma=gamma).profile()
    assert profile
    return profile


def to_srgb(values: np.ndarray, gamma: float) -> np.ndarray:
    """What greys of a power curve look like in sRGB."""
    light = (values / 255.0) ** gamma
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("plugin", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("kind", ["grey with a profile of colours", "greys as colours with a profile of greys"])
def test_a_profile_of_the_other_kind_is_converted_where_the_pixels_are_grey(plugin, kind):
    grey = photograph().convert("L")
    of_colours = kind.startswith("grey with")
    image = grey if of_colours else grey.convert("RGB")
    profile = rgb_profile(1.0) if of_colours else grey_profile(1.0)
    # A grey JPEG stored as colours may come back off by one; the colours are then no greys any more.
    if plugin == "JPEG" and not of_colours:
        image = Image.new("RGB", image.size, (90, 90, 90))
    data = encoded(image, plugin, icc_profile=profile)
    stored = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    found = decode(data).pixels.astype(float)
    assert np.abs(found - to_srgb(stored, 1.0)[..., None]).max() <= 3
    assert np.array_equal(found[..., 0], found[..., 1])


@pytest.mark.parametrize(
    ("mode", "profile"),
    [("RGB", grey_profile(2.2)), ("RGB", LAB), ("L", LAB), ("CMYK", SRGB), ("CMYK", grey_profile(2.2))],
    ids=["grey on colours", "Lab on colours", "Lab on grey", "RGB on CMYK", "grey on CMYK"],
)
def test_a_profile_of_other_pixels_is_refused_in_words(mode, profile):
    with pytest.raises(UnsupportedPicture, match="for another kind of picture") as refused:
        decode(encoded(photograph().convert(mode), "JPEG", icc_profile=profile))
    assert (refused.value.code, refused.value.status) == ("unsupported-image", 415)


def test_a_profile_of_rgb_fits_what_becomes_rgb():
    """YCbCr in a TIFF, which Pillow leaves as it is, with a linear profile in the place of sRGB's."""
    tags = {256: (96,), 257: (64,), 258: (8, 8, 8), 259: (1,), 262: (6,), 273: (), 277: (3,), 278: (64,), 530: (1, 1)}
    data = hostile.tiff_of_parts(tags, [quarters().convert("YCbCr").tobytes()])
    plain, image = decode(data).pixels, Image.open(io.BytesIO(data))
    assert image.mode == "YCbCr"
    assert_quarters(plain, tolerance=2)
    brighter = decode(encoded(image, "TIFF", icc_profile=rgb_profile(1.0))).pixels
    assert np.abs(brighter - to_srgb(plain, 1.0)).max() <= 3


# JPEG in TIFF: its parts are read strictly, once, and put together here.
def jpegs_in_tiff(*, side: int = 128, photometric: int = 2, **options) -> bytes:
    """A tiled TIFF, which Pillow does not write: the last tiles reach beyond the picture."""
    image = photograph()
    padded = Image.new("RGB", (-(-image.width // side) * side, -(-image.height // side) * side))
    padded.paste(image)
    corners = [(left, top) for top in range(0, image.height, side) for left in range(0, image.width, side)]
    parts = [
        encoded(padded.crop((x, y, x + side, y + side)), "JPEG", quality=95, subsampling=0, **options)
        for x, y in corners
    ]
    tags = {256: (image.width,), 257: (image.height,), 258: (8, 8, 8), 259: (7,), 262: (photometric,), 277: (3,),
            322: (side,), 323: (side,), 324: (), 530: (1, 1)}  # fmt: skip
    return hostile.tiff_of_parts(tags, parts)


def jpeg_planes_in_tiff() -> bytes:
    image = photograph()
    parts = [encoded(band, "JPEG", quality=95) for band in image.split()]
    tags = {256: (image.width,), 257: (image.height,), 258: (8, 8, 8), 259: (7,), 262: (2,), 273: (), 277: (3,),
            278: (image.height,), 284: (2,)}  # fmt: skip
    return hostile.tiff_of_parts(tags, parts)


JPEG_TIFFS = {
    "strips": encoded(photograph(), "TIFF", compression="jpeg", quality=90),
    "grey strips": encoded(photograph().convert("L"), "TIFF", compression="jpeg", quality=90),
    "YCbCr strips": encoded(photograph().convert("YCbCr"), "TIFF", compression="jpeg", quality=90),
    "CMYK strips": encoded(photograph().convert("CMYK"), "TIFF", compression="jpeg", quality=90),
    "RGB tiles": jpegs_in_tiff(keep_rgb=True),
    "YCbCr tiles": jpegs_in_tiff(photometric=6),
    "planes": jpeg_planes_in_tiff(),
}


@pytest.mark.parametrize("kind", JPEG_TIFFS)
def test_jpegs_in_a_tiff_are_put_together_as_libtiff_does(kind):
    data = JPEG_TIFFS[kind]
    assert np.array_equal(decode(data).pixels, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


@pytest.mark.parametrize("kind", JPEG_TIFFS)
def test_each_jpeg_of_a_tiff_is_decoded_once(kind, monkeypatch):
    decoded: list[int] = []
    by_libtiff: list[object] = []
    read, load = simplejpeg.decode_jpeg, TiffImagePlugin.TiffImageFile.load

    def read_counted(data, *args, **options):
        decoded.append(len(data))
        return read(data, *args, **options)

    def load_counted(self):
        by_libtiff.append(self)
        return load(self)

    monkeypatch.setattr(simplejpeg, "decode_jpeg", read_counted)
    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "load", load_counted)
    decode_bytes(JPEG_TIFFS[kind])
    assert len(decoded) == len(Tiff(JPEG_TIFFS[kind]).parts)
    assert by_libtiff == []


def test_a_turned_tiff_of_jpegs_is_upright():
    exif = Image.Exif()
    exif[274] = 3
    turned = encoded(quarters(), "TIFF", compression="jpeg", quality=95, exif=exif)
    assert_quarters(np.rot90(decode(turned).pixels, 2), tolerance=6)
