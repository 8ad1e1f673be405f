"""Decoding of every format, orientation and kind of colour."""

from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from mlmodel.pictures.picture import Picture, centre_square, decode, encode_jpeg, network_input
from mlmodel.pictures.picture_errors import UnsupportedPicture
from tests.mlmodel import hostile
from tests.mlmodel.quartered import BLUE, GREEN, GREY, RED, SAMPLES, assert_quarters, quarters, saved, sixteen_bit_png


# Formats. Lossless ones must be exact; JPEG, WebP and HEIC store luma and chroma in 8 bits each, which moves a
# saturated colour by a few levels even where it is flat.
@pytest.mark.parametrize(
    ("plugin", "options", "name", "media_type", "tolerance"),
    [
        ("JPEG", {"quality": 95}, "JPEG", "image/jpeg", 5),
        ("JPEG", {"quality": 95, "progressive": True}, "JPEG", "image/jpeg", 5),
        ("PNG", {}, "PNG", "image/png", 0),
        ("WEBP", {"lossless": True}, "WebP", "image/webp", 0),
        ("WEBP", {"quality": 90}, "WebP", "image/webp", 6),
        ("TIFF", {}, "TIFF", "image/tiff", 0),
        ("TIFF", {"compression": "tiff_lzw"}, "TIFF", "image/tiff", 0),
        ("TIFF", {"compression": "tiff_deflate"}, "TIFF", "image/tiff", 0),
        ("TIFF", {"compression": "jpeg", "quality": 95}, "TIFF", "image/tiff", 6),
        ("TIFF", {"big_tiff": True}, "TIFF", "image/tiff", 0),
        ("HEIF", {"quality": 90}, "HEIC", "image/heic", 6),
        ("BMP", {}, "BMP", "image/bmp", 0),
        ("GIF", {}, "GIF", "image/gif", 0),
    ],
)
def test_each_format_is_known_by_its_bytes_and_keeps_its_colours(plugin, options, name, media_type, tolerance):
    picture = decode(saved(quarters(), plugin, **options))
    assert (picture.format, picture.media_type) == (name, media_type)
    assert (picture.width, picture.height) == (96, 64)
    assert (picture.pixels.dtype, picture.pixels.shape) == (np.uint8, (64, 96, 3))
    assert_quarters(picture.pixels, tolerance=tolerance)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_real_photographs_decode_to_what_pillow_sees(path):
    picture = decode(path.read_bytes())
    assert np.array_equal(picture.pixels, np.asarray(Image.open(path).convert("RGB")))
    assert not picture.pixels.flags.writeable


def test_samples_are_there():
    assert len(SAMPLES) == 12


@pytest.mark.parametrize("plugin", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_orientation_comes_out_upright(plugin, orientation):
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    as_held = quarters() if orientation == 1 else quarters().transpose(undo[orientation])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    all_options: dict[str, dict[str, int]] = {
        "WEBP": {"lossless": True},
        "JPEG": {"quality": 95},
        "HEIF": {"quality": 90},
    }
    options = all_options.get(plugin, {})
    picture = decode(saved(as_held, plugin, exif=exif.tobytes() if plugin == "HEIF" else exif, **options))
    assert (picture.width, picture.height) == (96, 64)
    assert_quarters(picture.pixels, tolerance=6)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_a_senseless_orientation_is_ignored(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    assert_quarters(decode(saved(quarters(), "PNG", exif=exif)).pixels)


def test_broken_exif_does_not_cost_the_pixels():
    assert_quarters(
        decode(saved(quarters(), "JPEG", quality=95, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).pixels, tolerance=5
    )


# Kinds of pixels.
@pytest.mark.parametrize("plugin", ["PNG", "WEBP", "TIFF"])
def test_transparent_parts_become_white(plugin):
    image = quarters().convert("RGBA")
    image.putalpha(Image.new("L", image.size, 255))
    image.paste((220, 40, 40, 0), (0, 0, 48, 32))
    image.paste((40, 200, 60, 128), (48, 0, 96, 32))
    options = {"lossless": True, "exact": True} if plugin == "WEBP" else {}
    # 128 of 255 of the green over white; half a level of rounding either way
    half = tuple(round(value * 128 / 255 + 127) for value in GREEN)
    assert_quarters(decode(saved(image, plugin, **options)).pixels, ((255,) * 3, half, BLUE, GREY), tolerance=1)


def test_a_transparent_palette_and_grey_with_alpha():
    palette = quarters().quantize(4)
    palette.info["transparency"] = palette.getpixel((1, 1))
    data = saved(palette, "PNG", transparency=palette.getpixel((1, 1)))
    assert_quarters(decode(data).pixels, ((255,) * 3, GREEN, BLUE, GREY), tolerance=1)
    grey = Image.new("LA", (40, 40), (100, 255))
    grey.paste((100, 0), (0, 0, 20, 40))
    pixels = decode(saved(grey, "PNG")).pixels
    assert pixels[20, 5].tolist() == [255] * 3
    assert pixels[20, 35].tolist() == [100] * 3


@pytest.mark.parametrize("mode", ["1", "L", "P"])
@pytest.mark.parametrize("plugin", ["PNG", "TIFF", "BMP", "GIF"])
def test_few_colours(mode, plugin):
    image = Image.new("L", (40, 40), 0)
    image.paste(255, (20, 0, 40, 40))
    pixels = decode(saved(image.convert(mode), plugin)).pixels
    assert pixels[10, 5].tolist() == [0] * 3
    assert pixels[10, 35].tolist() == [255] * 3


@pytest.mark.parametrize("plugin", ["JPEG", "TIFF"])
def test_cmyk_is_not_inverted(plugin):
    # Pillow writes JPEGs of CMYK as Adobe does, inverted and marked so.
    data = saved(quarters().convert("CMYK"), plugin, **({"quality": 95} if plugin == "JPEG" else {}))
    assert Image.open(BytesIO(data)).mode == "CMYK"
    assert_quarters(decode(data).pixels, tolerance=6)


@pytest.mark.parametrize("plugin", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_whole_range(plugin):
    values = np.linspace(0, 65535, 256 * 4).astype(np.uint16).reshape(4, 256)
    pixels = decode(saved(Image.fromarray(values), plugin)).pixels
    assert np.array_equal(pixels[..., 0], np.round(values / 257).astype(np.uint8))
    assert np.array_equal(pixels[..., 0], pixels[..., 2])


def test_sixteen_bit_colour_png():
    pixels = decode(sixteen_bit_png()).pixels
    assert pixels[0, :, 0].tolist() == list(range(256))
    assert pixels[0, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bit_colour_tiff(order):
    values = np.zeros((2, 256, 3), dtype=np.uint16)
    values[..., 0] = np.arange(256) * 257
    values[..., 2] = 65535
    pixels = decode(hostile.tiff(values.astype(f"{order}u2"), photometric=2)).pixels
    assert pixels[1, :, 0].tolist() == list(range(256))
    assert pixels[0, 0].tolist() == [0, 0, 255]


def test_sixteen_bit_tiff_in_which_white_is_zero():
    values = np.array([[0, 65535]], dtype="<u2")
    assert decode(hostile.tiff(values, photometric=0)).pixels[0, :, 0].tolist() == [255, 0]


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixels_of_unknown_range_are_refused_with_a_way_out(mode):
    with pytest.raises(UnsupportedPicture, match="Save it as a JPEG"):
        decode(saved(Image.new(mode, (30, 30), 1), "TIFF"))


def test_lab_becomes_srgb():
    lab = ImageCms.profileToProfile(
        quarters(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None  # it is None only where the picture is changed in place
    # LAB in 8 bits has steps of one unit, and where sRGB is dark in a channel a unit is several levels of it.
    assert_quarters(decode(saved(lab, "TIFF")).pixels, tolerance=10)


def test_a_wide_gamut_profile_changes_the_numbers_and_a_broken_one_does_not():
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # sRGB with its red and blue primaries exchanged: what was stored as red is shown as blue.
    entries = range(132, 132 + 12 * int.from_bytes(profile[128:132], "big"), 12)
    at = {bytes(profile[entry : entry + 4]): entry for entry in entries}
    red, blue, description = at[b"rXYZ"], at[b"bXYZ"], at[b"desc"]
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    text = int.from_bytes(profile[description + 4 : description + 8], "big")
    length = int.from_bytes(profile[description + 8 : description + 12], "big")
    body = profile[text : text + length]
    profile[text : text + length] = body.replace("sRGB".encode("utf-16-be"), "Test".encode("utf-16-be"))
    swapped = [colour[::-1] for colour in (RED, GREEN, BLUE, GREY)]
    # lcms rounds its matrix to 1/32768 and the tone curve to 8 bits: a few levels on saturated colours
    assert_quarters(decode(saved(quarters(), "PNG", icc_profile=bytes(profile))).pixels, swapped, tolerance=4)
    assert_quarters(decode(saved(quarters(), "PNG", icc_profile=bytes(profile[:300]))).pixels)
    assert_quarters(decode(saved(quarters(), "PNG", icc_profile=b"not a profile")).pixels)
    # greys are the same whatever the primaries
    grey = decode(saved(quarters().convert("L"), "PNG", icc_profile=bytes(profile))).pixels
    assert np.abs(grey[..., 0].astype(int) - np.asarray(quarters().convert("L"))).max() <= 1


def test_the_centre_square():
    pixels = np.arange(7 * 4 * 3, dtype=np.uint8).reshape(4, 7, 3)
    assert np.array_equal(centre_square(pixels), pixels[:, 1:5])
    assert np.array_equal(centre_square(pixels.transpose(1, 0, 2)), pixels.transpose(1, 0, 2)[1:5])


def test_the_network_sees_what_training_saw(photograph):
    pixels = decode(photograph).pixels
    crop = Image.open(BytesIO(photograph)).crop((75, 0, 525, 450)).resize((224, 224), Image.Resampling.BICUBIC)
    as_trained = np.asarray(crop.resize((299, 299), Image.Resampling.BICUBIC))
    assert np.array_equal(network_input(pixels, side=299, detail=224), as_trained)
    assert np.array_equal(network_input(np.asarray(crop), side=299, detail=224), as_trained)
    small = crop.resize((150, 150))
    assert np.array_equal(
        network_input(np.asarray(small), side=299, detail=224),
        np.asarray(small.resize((299, 299), Image.Resampling.BICUBIC)),
    )


def test_detail_finer_than_training_had_never_reaches_the_network():
    lines = np.zeros((672, 672, 3), dtype=np.uint8)
    lines[:, ::2] = 200
    assert np.ptp(network_input(lines, side=299, detail=224)[20:-20, 20:-20].astype(int)) <= 2


def test_a_served_jpeg_has_no_metadata():
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Phone"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (51.0, 30.0, 0.0)
    sent = saved(quarters(900, 600), "JPEG", exif=exif, comment=b"patient", xmp=b"<x/>", dpi=(300, 300))
    assert Image.open(BytesIO(sent)).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    served = encode_jpeg(decode(sent).pixels, longest_side=300)
    image = Image.open(BytesIO(served))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (300, 200))
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
    assert b"Exif" not in served
    assert b"patient" not in served


def test_a_served_jpeg_is_progressive_never_larger_and_true_in_colour():
    pixels = decode(saved(quarters(), "PNG")).pixels
    served = encode_jpeg(pixels, longest_side=2000)
    assert Image.open(BytesIO(served)).info["progressive"]
    assert decode(served).pixels.shape == pixels.shape
    assert_quarters(decode(served).pixels, tolerance=6)
    sliver = np.zeros((1, 3000, 3), dtype=np.uint8)
    assert decode(encode_jpeg(sliver, longest_side=100)).pixels.shape == (1, 100, 3)


@pytest.mark.parametrize("side", [100, 224, 225, 450, 1343, 1344, 1500])
def test_the_networks_input_is_the_same_by_way_of_the_square(side):
    """Up to six times the square's side Pillow makes both alike; beyond, the square is averaged first."""
    pixels = np.random.default_rng(side).integers(0, 256, (side, side + 31, 3), dtype=np.uint8)
    picture = Picture(pixels=pixels, format="JPEG", media_type="image/jpeg")

    for detail in (224, 200):
        expected = network_input(pixels, side=192, detail=detail)
        assert np.array_equal(picture.network_input(side=192, detail=detail), expected)
