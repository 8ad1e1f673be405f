"""Files with several pictures: the first frame of animations is used, and files with several pages are refused."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from mlmodel.pictures.picture import decode
from mlmodel.pictures.picture_errors import UnsupportedPicture
from tests.mlmodel import hostile
from tests.mlmodel.damage import encoded, photograph
from tests.mlmodel.quartered import assert_quarters, quarters, saved

OTHER = Image.new("RGB", (96, 64), (1, 2, 3))


@pytest.mark.parametrize("plugin", ["GIF", "WEBP", "PNG"])
def test_of_what_moves_the_first_frame_counts(plugin):
    options = {"lossless": True} if plugin == "WEBP" else {}
    data = saved(quarters(), plugin, save_all=True, append_images=[OTHER, OTHER], **options)
    assert_quarters(decode(data).pixels)


def test_of_a_moving_png_the_picture_counts_that_stands_still():
    """APNG may hold a picture for viewers that show no movement, apart from its frames."""
    data = saved(quarters(), "PNG", save_all=True, append_images=[OTHER, OTHER], default_image=True)
    assert data.index(b"fcTL") > data.index(b"IDAT")
    assert_quarters(decode(data).pixels)


def test_a_first_frame_that_is_damaged_is_not_replaced_by_the_second():
    data = encoded(photograph(), "WEBP", quality=90, save_all=True, append_images=[photograph(1)])
    at = data.index(b"VP8 ") + 4000
    with pytest.raises(ValueError, match="damaged or incomplete"):
        decode(data[:at] + bytes(600) + data[at + 600 :])


def test_a_phones_multi_picture_jpeg_is_a_jpeg():
    picture = decode(saved(quarters(), "MPO", save_all=True, append_images=[quarters()], quality=95))
    assert picture.format == "JPEG"
    assert_quarters(picture.pixels, tolerance=5)


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "jpeg"])
def test_a_tiff_of_several_pages_is_refused_with_their_number(count, compression):
    options = {"compression": compression} if compression else {}
    data = saved(quarters(), "TIFF", save_all=True, append_images=[OTHER] * (count - 1), **options)
    with pytest.raises(UnsupportedPicture, match=f"contains {count} pictures") as refused:
        decode(data)
    assert (refused.value.code, refused.value.status) == ("unsupported-image", 415)


def with_second_page(**tags: int) -> bytes:
    """A TIFF of quarters whose second directory has such tags: a preview, a mask, or a page like the first."""
    first = np.asarray(quarters()).tobytes()
    data = hostile.tiff_of_parts(
        {256: (96,), 257: (64,), 258: (8, 8, 8), 259: (1,), 262: (2,), 273: (), 277: (3,), 278: (64,)}, [first]
    )
    at = 8 + len(first)
    next_at = at + 2 + 12 * int.from_bytes(data[at : at + 2], "little")
    entries = {254: tags.get("kind", 0), 255: tags.get("old_kind", 0), 256: 2, 257: 2, 258: 8, 259: 1, 262: 1,
               273: 8, 277: 1, 278: 2, 279: 4}  # fmt: skip
    entries = {tag: value for tag, value in entries.items() if value or tag not in (254, 255)}
    page = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", tag, 4, 1, v) for tag, v in entries.items())
    following = tags.get("following", 0)
    return data[:next_at] + struct.pack("<I", len(data)) + data[next_at + 4 :] + page + struct.pack("<I", following)


@pytest.mark.parametrize("tags", [{"kind": 1}, {"kind": 4}, {"kind": 5}, {"old_kind": 2}])
def test_previews_and_masks_are_no_pages(tags):
    assert_quarters(decode(with_second_page(**tags)).pixels)


@pytest.mark.parametrize("tags", [{}, {"kind": 2}, {"old_kind": 1}, {"old_kind": 3}])
def test_every_other_directory_is_a_page(tags):
    with pytest.raises(UnsupportedPicture, match="contains 2 pictures"):
        decode(with_second_page(**tags))


def test_directories_that_run_in_a_ring_or_beyond_the_end_are_gone_through_once():
    assert_quarters(decode(with_second_page(kind=1, following=8 + 96 * 64 * 3)).pixels)
    assert_quarters(decode(with_second_page(kind=1, following=10_000_000)).pixels)


def test_a_heif_that_only_moves_is_unsupported():
    boxes = b"\0\0\0\x18ftyphevc\0\0\0\0msf1hevc" + b"\0\0\0\x10moov" + bytes(8) + b"\0\0\0\x10mdat" + bytes(8)
    with pytest.raises(UnsupportedPicture, match="video"):
        decode(boxes)


def test_a_png_may_tell_of_frames_it_does_not_hold():
    plain = saved(quarters(), "PNG")
    body = b"acTL" + struct.pack(">II", 5, 0)
    chunk = struct.pack(">I", 8) + body + struct.pack(">I", zlib.crc32(body))
    assert_quarters(decode(plain[:33] + chunk + plain[33:]).pixels)
