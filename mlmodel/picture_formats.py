"""Which picture format a file is, told from its first bytes alone; a file's name proves nothing."""

from dataclasses import dataclass

# ISO/IEC 23008-12: brands of still pictures and sequences that are coded with HEVC, and the codec-neutral ones.
_HEVC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_NEUTRAL_BRANDS = frozenset({b"mif1", b"msf1"})
# The sizes that a BMP's second header may state: OS/2 1 and 2, Windows 3, 4 and 5, and Adobe's two.
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})


@dataclass(frozen=True)
class Format:
    """A format as people, browsers and Pillow know it."""

    name: str
    media_type: str
    plugin: str


JPEG = Format("JPEG", "image/jpeg", "JPEG")
PNG = Format("PNG", "image/png", "PNG")
WEBP = Format("WebP", "image/webp", "WEBP")
TIFF = Format("TIFF", "image/tiff", "TIFF")
HEIC = Format("HEIC", "image/heic", "HEIF")
BMP = Format("BMP", "image/bmp", "BMP")
GIF = Format("GIF", "image/gif", "GIF")
FORMATS: tuple[Format, ...] = (JPEG, PNG, WEBP, TIFF, HEIC, BMP, GIF)

_SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
)


def sniff(data: bytes) -> Format | None:
    """Return the accepted format that ``data`` begins like, or None."""
    for signature, known in _SIGNATURES:
        if data.startswith(signature):
            return known
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return BMP
    if data[4:8] == b"ftyp" and _is_heic(data):
        return HEIC
    return None


def _is_heic(data: bytes) -> bool:
    """Tell HEIC from its relatives in the same container (AVIF, MP4, …) by the brands it declares."""
    end = min(int.from_bytes(data[:4], "big"), 4096)
    major, compatible = data[8:12], {data[at : at + 4] for at in range(16, end, 4)}
    return major in _HEVC_BRANDS or (major in _NEUTRAL_BRANDS and bool(compatible & _HEVC_BRANDS))
