"""Hostile files, built byte by byte."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pillow_heif
from PIL import Image

SIDE = 30_000


def png_header(width: int = SIDE, height: int = SIDE) -> bytes:
    """A PNG that claims to be huge and holds one compressed row of nothing."""
    return png(width=width, height=height, bits=8, colour=2, rows=bytes(1000))


def png(*, width: int, height: int, bits: int, colour: int, rows: bytes) -> bytes:
    """A valid PNG of kinds that Pillow does not write; each row begins with its filter's number, 0."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + _png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
        + _png_chunk(b"IDAT", zlib.compress(rows))
        + _png_chunk(b"IEND", b"")
    )


def tiff(values: np.ndarray, *, photometric: int) -> bytes:
    """A one-strip uncompressed 16-bit TIFF of (H, W) or (H, W, 3), in the byte order of ``values``."""
    order = ">" if values.dtype.byteorder == ">" else "<"
    height, width = values.shape[:2]
    samples = 1 if values.ndim == 2 else 3
    body = values.tobytes()
    directory_at = 8 + len(body)
    bits_at = directory_at + 2 + 10 * 12 + 4
    bits = (3, samples, 16 << (16 if order == ">" else 0)) if samples == 1 else (3, samples, bits_at)
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, *bits),
        (259, 4, 1, 1),
        (262, 4, 1, photometric),
        (273, 4, 1, 8),
        (277, 4, 1, samples),
        (278, 4, 1, height),
        (279, 4, 1, len(body)),
        (284, 4, 1, 1),
    ]
    directory = struct.pack(order + "H", len(entries))
    directory += b"".join(struct.pack(order + "HHII", *entry) for entry in entries) + struct.pack(order + "I", 0)
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", directory_at)
    return start + body + directory + struct.pack(order + "HHH", 16, 16, 16)


def planar_tiff(values: np.ndarray, *, strips: int) -> bytes:
    """An uncompressed 16-bit TIFF of (H, W, 3) in separate planes, each in ``strips`` strips."""
    height, width = values.shape[:2]
    rows = -(-height // strips)
    parts = [values[at : at + rows, :, band].tobytes() for band in range(3) for at in range(0, height, rows)]
    order = ">" if values.dtype.byteorder == ">" else "<"
    tags: dict[int, tuple[int, ...]] = {
        256: (width,), 257: (height,), 258: (16, 16, 16), 259: (1,), 262: (2,), 273: (), 277: (3,), 278: (rows,),
        279: tuple(len(part) for part in parts), 284: (2,),
    }  # fmt: skip
    return tiff_of_parts(tags, parts, order)


def tiff_of_numbers(values: np.ndarray, *, numbers: int, bits: int, compression: int = 1) -> bytes:
    """A one-strip grey TIFF of (H, W) whose tags say what is wanted."""
    height, width = values.shape
    tags: dict[int, tuple[int, ...]] = {
        256: (width,), 257: (height,), 258: (bits,), 259: (compression,), 262: (1,), 273: (), 277: (1,),
        278: (height,), 279: (values.nbytes,), 339: (numbers,),
    }  # fmt: skip
    return tiff_of_parts(tags, [values.tobytes()], "<")


def tiff_of_parts(tags: dict[int, tuple[int, ...]], parts: list[bytes], order: str = "<") -> bytes:
    """A TIFF of strips (tags 273 and 279) or tiles (324 and 325), whose places and lengths are filled in."""
    at_tag, length_tag = (324, 325) if 324 in tags else (273, 279)
    tags = dict(sorted((tags | {length_tag: tuple(map(len, parts))}).items()))
    starts = [8 + sum(len(part) for part in parts[:index]) for index in range(len(parts))]
    body = b"".join(parts)
    at = 8 + len(body)
    beyond_at, beyond, entries = at + 2 + 12 * len(tags) + 4, b"", b""
    for tag, numbers in (tags | {at_tag: tuple(starts)}).items():
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(packed) > 4:
            packed, beyond = struct.pack(order + "I", beyond_at + len(beyond)), beyond + packed
        entries += struct.pack(order + "HHI", tag, 4, len(numbers)) + packed
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", at)
    return head + body + struct.pack(order + "H", len(tags)) + entries + bytes(4) + beyond


def bmp_with_alpha(image: Image.Image) -> bytes:
    """A 32-bit BMP with a version 5 header that declares an alpha channel."""
    width, height = image.size
    pixels = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes("raw", "BGRA")
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 124, width, height, 1, 32, 3, len(pixels), 2835, 2835, 0, 0) + masks + b"BGRs"
    header += bytes(124 - len(header))
    return b"BM" + struct.pack("<IHHI", 14 + 124 + len(pixels), 0, 0, 14 + 124) + header + pixels


def png_bomb(width: int, height: int) -> bytes:
    """A valid black PNG of any size in a few kilobytes: one bit a pixel, deflated."""
    return png(width=width, height=height, bits=1, colour=0, rows=bytes((1 + (width + 7) // 8) * height))


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def jpeg_header(width: int = SIDE, height: int = SIDE) -> bytes:
    """A small JPEG whose frame header is overwritten to claim another size."""
    data = bytearray(small("JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def bmp_header(width: int = SIDE, height: int = SIDE) -> bytes:
    data = bytearray(small("BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def gif_header(width: int = SIDE, height: int = SIDE) -> bytes:
    data = bytearray(small("GIF"))
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def tiff_header(width: int = SIDE, height: int = SIDE) -> bytes:
    """A TIFF directory without a strip worth the name."""
    entries = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 10)]
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries) + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 18) + bytes(10) + directory


def webp_header(side: int = SIDE) -> bytes:
    """An extended WebP: its canvas may be 16 million pixels wide, and libwebp allots it before it decodes."""
    size = (side - 1).to_bytes(3, "little")
    frame = small("WEBP")[12:]
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + bytes(4) + size + size + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def heic_header(side: int = SIDE) -> bytes:
    """A HEIC whose image-size box claims another size."""
    data = bytearray(small("HEIF"))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", side, side)
    return bytes(data)


def small(plugin: str) -> bytes:
    out, image = BytesIO(), Image.new("RGB", (64, 64), (200, 150, 130))
    if plugin == "HEIF":
        pillow_heif.from_pillow(image).save(out)
    else:
        image.save(out, plugin)
    return out.getvalue()


def endless_jpeg(scans: int = 20_000, side: int = 6000) -> bytes:
    """A whole progressive JPEG with thousands of empty scans: within the pixel limit, and minutes of work."""
    out = BytesIO()
    Image.new("L", (16, 16), 128).save(out, "JPEG", progressive=True)
    data = bytearray(out.getvalue())
    frame = data.index(b"\xff\xc2")
    data[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    header = bytes(data[: data.index(b"\xff\xda")])
    blocks = ((side + 7) // 8) ** 2
    # Tables with one code, 0: "the same mean", and "nothing more in 16,384 blocks" (14 bits say how many more).
    tables = b"\xff\xc4\x00\x14\x00\x01" + bytes(16) + b"\xff\xc4\x00\x14\x10\x01" + bytes(15) + b"\xe0"
    means = _scan(b"\x00\x00\x01", (blocks + 7) // 8)
    nothing = _scan(b"\x01\x3f\x00", ((blocks + 16383) // 16384 * 15 + 7) // 8)
    return header + tables + means + nothing * scans + _scan(b"\x00\x00\x10", (blocks + 7) // 8) + b"\xff\xd9"


def _scan(band: bytes, length: int) -> bytes:
    return b"\xff\xda\x00\x08\x01\x01\x00" + band + bytes(length)
