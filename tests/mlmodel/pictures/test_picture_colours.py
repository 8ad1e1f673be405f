"""Colours are converted correctly or refused with a reason; unsupported kinds are reported as such."""

import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from mlmodel.pictures.colour_profiles import Colours, coded_colours
from mlmodel.pictures.picture import decode
from mlmodel.pictures.picture_errors import UnsupportedPicture
from tests.mlmodel import hostile
from tests.mlmodel.damage import encoded, photograph
from tests.mlmodel.quartered import assert_quarters, quarters, saved

LINEAR = Colours(gamma=1.0).profile() or b""


def to_linear(image: Image.Image) -> Image.Image:
    """The same picture in numbers that are proportional to light."""
    values = np.asarray(image) / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return Image.fromarray((light * 255).round().astype(np.uint8))


def with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return png[:33] + chunk + png[33:]


@pytest.mark.parametrize("plugin", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_linear_profile_is_converted_whatever_it_is_called(plugin):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    assert str(profile.profile.profile_description).startswith("sRGB")
    called_srgb = bytearray(profile.tobytes())
    # The name of sRGB, with the curves of the linear profile in the place of its own.
    entries = range(132, 132 + 12 * int.from_bytes(called_srgb[128:132], "big"), 12)
    at = {bytes(called_srgb[entry : entry + 4]): entry for entry in entries}
    called_srgb += b"curv" + struct.pack(">II", 0, 0)
    for tag in (b"rTRC", b"gTRC", b"bTRC"):
        called_srgb[at[tag] + 4 : at[tag] + 12] = struct.pack(">II", len(called_srgb) - 12, 12)
    called_srgb[:4] = struct.pack(">I", len(called_srgb))
    options = {"lossless": True} if plugin == "WEBP" else {"quality": 98, "subsampling": 0} if plugin == "JPEG" else {}
    for stored in (LINEAR, bytes(called_srgb)):
        data = encoded(to_linear(photograph()), plugin, icc_profile=stored, **options)
        off = np.abs(decode(data).pixels.astype(int) - np.asarray(photograph()))
        assert off.mean() < 4


def test_srgb_by_any_name_changes_nothing():
    ours = Colours().profile()
    for profile in (ours, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()):
        assert np.array_equal(
            decode(encoded(photograph(), "PNG", icc_profile=profile)).pixels, np.asarray(photograph())
        )


def test_a_grey_profile_is_converted():
    curve = b"curv" + struct.pack(">II", 0, 0)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    profile = bytearray(LINEAR[:128]) + struct.pack(">I", 2)
    profile += b"wtpt" + struct.pack(">II", 156, 20) + b"kTRC" + struct.pack(">II", 176, 12) + white + curve
    profile[16:20] = b"GRAY"
    profile[:4] = struct.pack(">I", len(profile))
    grey = photograph().convert("L")
    pixels = decode(encoded(to_linear(grey), "PNG", icc_profile=bytes(profile))).pixels
    assert np.abs(pixels[..., 0].astype(int) - np.asarray(grey)).mean() < 4


def test_gamma_and_primaries_of_a_png_are_converted():
    linear = encoded(to_linear(photograph()), "PNG")
    pixels = decode(with_chunk(linear, b"gAMA", struct.pack(">I", 100_000))).pixels
    assert np.abs(pixels.astype(int) - np.asarray(photograph())).mean() < 4
    plain = encoded(quarters(), "PNG")
    swapped = (0.3127, 0.3290, 0.15, 0.06, 0.30, 0.60, 0.64, 0.33)
    body = struct.pack(">8I", *(round(each * 100_000) for each in swapped))
    assert decode(with_chunk(plain, b"cHRM", body)).pixels[2, 2, 2] > 200  # red is shown as blue
    # What everybody writes for sRGB, what sRGB overrides, and what makes no sense, change nothing.
    for data in (
        with_chunk(plain, b"gAMA", struct.pack(">I", 45455)),
        with_chunk(with_chunk(plain, b"gAMA", struct.pack(">I", 100_000)), b"sRGB", b"\0"),
        with_chunk(plain, b"gAMA", bytes(4)),
        with_chunk(plain, b"gAMA", struct.pack(">I", 1)),
        with_chunk(plain, b"cHRM", bytes(32)),
        with_chunk(plain, b"cHRM", b"\xff" * 32),
    ):
        assert_quarters(decode(data).pixels)


@pytest.mark.slow
@pytest.mark.parametrize("transfer", [16, 18])
def test_high_dynamic_range_is_refused_in_words(transfer):
    png = with_chunk(encoded(photograph(), "PNG"), b"cICP", bytes([9, transfer, 0, 1]))
    heic = heic_of(photograph(), color_primaries=9, transfer_characteristics=transfer, matrix_coefficients=9)
    icc = bytearray(LINEAR)
    entry = 132 + 12  # the copyright gives its place
    icc[entry : entry + 12] = b"cicp" + struct.pack(">II", len(icc), 12)
    icc += b"cicp" + bytes(4) + bytes([9, transfer, 0, 1])
    icc[:4] = struct.pack(">I", len(icc))
    for data in (png, heic, encoded(photograph(), "JPEG", icc_profile=bytes(icc))):
        with pytest.raises(UnsupportedPicture, match="HDR") as refused:
            decode(data)
        assert (refused.value.code, refused.value.status) == ("unsupported-image", 415)


def heic_of(image: Image.Image, **nclx) -> bytes:
    return encoded(image, "HEIF", quality=95, chroma=444, full_range_flag=1, save_nclx_profile=True, **nclx)


def test_wide_gamut_by_code_points_is_converted():
    usual = decode(encoded(quarters(), "PNG")).pixels
    wide = decode(with_chunk(encoded(quarters(), "PNG"), b"cICP", bytes([9, 13, 0, 1]))).pixels
    assert wide[2, 2, 0] >= usual[2, 2, 0] + 20  # BT.2020's red is redder
    assert_quarters(decode(with_chunk(encoded(quarters(), "PNG"), b"cICP", bytes([1, 13, 0, 1]))).pixels)


def test_every_code_point_is_a_profile_or_a_refusal():
    read = {}
    for primaries in range(256):
        for transfer in range(256):
            try:
                read[primaries, transfer] = coded_colours(primaries=primaries, transfer=transfer)
            except UnsupportedPicture:
                continue
    assert {(1, 13), (12, 13), (9, 14), (2, 2), (1, 8)} <= set(read)
    assert all(colours.profile() for colours in set(read.values()))


def test_a_cameras_adobe_rgb_without_a_profile_is_converted():
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.IFD.Interop] = {1: "R03"}
    plain = decode(saved(quarters(), "JPEG", quality=98)).pixels
    adobe = decode(saved(quarters(), "JPEG", quality=98, exif=exif)).pixels
    assert adobe[2, 2, 0] > plain[2, 2, 0] + 10


# Layouts that were scrambled or blank.
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("strips", [1, 3])
def test_sixteen_bit_planes_are_put_together(order, strips):
    values = np.asarray(photograph().resize((60, 45))).astype(f"{order}u2") * 257
    pixels = decode(hostile.planar_tiff(values.astype(f"{order}u2"), strips=strips)).pixels
    assert np.array_equal(pixels, np.asarray(photograph().resize((60, 45))))


def test_an_empty_alpha_channel_of_a_bitmap_is_none():
    image = quarters().convert("RGBA")
    image.putalpha(0)
    assert_quarters(decode(hostile.bmp_with_alpha(image)).pixels)
    image.putalpha(255)
    assert_quarters(decode(hostile.bmp_with_alpha(image)).pixels)


# Whole files of kinds that are not read.
def _tiff(values: np.ndarray, **tags: int) -> bytes:
    return hostile.tiff_of_numbers(values, **tags)


UNSUPPORTED = {
    "float TIFF": _tiff(np.zeros((9, 9), "<f4"), numbers=3, bits=32),
    "uint32 TIFF": _tiff(np.zeros((9, 9), "<u4"), numbers=1, bits=32),
    "signed TIFF": _tiff(np.zeros((9, 9), "<i2"), numbers=2, bits=16),
    "JPEG 2000 in TIFF": _tiff(np.zeros((9, 9), "u1"), numbers=1, bits=8, compression=34712),
    "fax in TIFF": _tiff(np.zeros((9, 9), "u1"), numbers=1, bits=1, compression=4),
    "JPEG 2000": encoded(quarters(), "JPEG2000"),
    "JPEG 2000 codestream": encoded(quarters(), "JPEG2000", no_jp2=True),
    "12-bit JPEG": encoded(quarters(), "JPEG").replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc1\x00\x11\x0c"),
    "lossless JPEG": encoded(quarters(), "JPEG").replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc3\x00\x11\x08"),
    "JPEG-LS": encoded(quarters(), "JPEG").replace(b"\xff\xc0\x00\x11\x08", b"\xff\xf7\x00\x11\x08"),
    "JPEG-LS with the head of SPIFF": b"\xff\xd8\xff\xe8\0\x20SPIFF\0\2"
    + bytes(23)
    + b"\xff\xe8\0\x08\0\0\0\1\xff\xd8\xff\xf7\0\x0b\x08\0\x09\0\x09\1\1\x11\0\xff\xda\0\x08\1\1\0\0\0\0"
    + bytes(9),
    "JPEG XL": b"\xff\x0a" + bytes(60),
    "JPEG XL in a box": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(60),
    "AVIF": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(40),
    "DICOM": bytes(128) + b"DICM" + bytes(60),
    "PDF": b"%PDF-1.7\n" + bytes(100),
    "MP4": b"\0\0\0\x20ftypisom" + bytes(40),
    "QuickTime": b"\0\0\0\x14ftypqt  " + bytes(40),
    "WebM": b"\x1aE\xdf\xa3" + bytes(40),
    "AVI": b"RIFF\x24\0\0\0AVI LIST" + bytes(40),
    "Canon raw": b"\0\0\0\x18ftypcrx " + bytes(40),
    "Fuji raw": b"FUJIFILMCCD-RAW 0201" + bytes(40),
    "Photoshop": b"8BPS\0\1" + bytes(40),
}


@pytest.mark.parametrize("kind", UNSUPPORTED)
def test_a_whole_file_of_a_kind_that_is_not_read_is_unsupported_and_told_what_to_do(kind):
    with pytest.raises(UnsupportedPicture) as refused:
        decode(UNSUPPORTED[kind])
    assert (refused.value.code, refused.value.status) == ("unsupported-image", 415)
    assert "JPEG" in str(refused.value)
    assert refused.value.line.endswith("[unsupported-image]")
