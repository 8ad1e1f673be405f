"""Detection of picture formats from the first bytes of a file, regardless of its name."""

from dataclasses import dataclass

from mlmodel.pictures.picture_errors import OTHER_KIND, VIDEO, NotAPicture, PictureError, UnsupportedPicture
from mlmodel.texts import Text
from mlmodel.texts import gettext_noop as _

# ISO/IEC 23008-12: brands of still pictures and sequences that are coded with HEVC, and the codec-neutral ones.
_HEVC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_NEUTRAL_BRANDS = frozenset({b"mif1", b"msf1"})
# Valid sizes of a BMP's second header: OS/2 1 and 2, Windows 3, 4 and 5, and Adobe's two.
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})


@dataclass(frozen=True)
class Format:
    """A format with its name, media type and Pillow plug-in."""

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


_RAW = _("a camera's raw file")
# Names of other kinds of files by signature. (Raw files in TIFF format are recognised by their tags.)
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"\0\0\0\x0cjP  \r\n\x87\n", _("a JPEG 2000 picture")),
    (b"\xff\x4f\xff\x51", _("a JPEG 2000 picture")),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _("a JPEG XL picture")),
    (b"\xff\x0a", _("a JPEG XL picture")),
    (b"II\xbc", _("a JPEG XR picture")),
    (b"8BPS", _("a Photoshop file")),
    (b"gimp xcf", _("a GIMP file")),
    (b"\x76\x2f\x31\x01", _("an OpenEXR picture")),
    (b"#?RADIANCE", _("a Radiance picture")),
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"IIU\0", _RAW),
    (b"IIRO", _RAW),
    (b"IIRS", _RAW),
    (b"MMOR", _RAW),
    (b"FOVb", _RAW),
    (b"HEAPCCDR", _RAW),
    (b"%PDF-", _("a PDF document")),
    (b"\x1aE\xdf\xa3", VIDEO),
    (b"FLV\x01", VIDEO),
    (b"\0\0\x01\xba", VIDEO),
    (b"\0\0\x01\xb3", VIDEO),
)
# ISO base media files by their major brand; all others are videos.
_HEIF, _AVIF = _("a HEIF picture"), _("an AVIF picture")
_OTHER_BRANDS = {b"avif": _AVIF, b"avis": _AVIF, b"crx ": _RAW, b"mif1": _HEIF, b"msf1": _HEIF, b"miaf": _HEIF,
                 b"jpeg": _HEIF}  # fmt: skip
_SOUND_BRANDS = frozenset({b"M4A ", b"M4B "})


def refusal_of(data: bytes) -> PictureError:
    """Return the error for a file that ``sniff`` does not recognise: a known unsupported kind, or not a picture."""
    kind = _other_kind(data)
    return UnsupportedPicture(Text(OTHER_KIND, {"kind": kind}), reason=kind) if kind else NotAPicture()


def _other_kind(data: bytes) -> str:
    """Return the name of an unsupported kind of picture, video or document, or an empty string."""
    for signature, name in _OTHERS:
        if data.startswith(signature):
            return name
    if data[128:132] == b"DICM":
        return _("a DICOM file")
    if data[4:8] == b"ftyp" and data[8:12] not in _SOUND_BRANDS:
        return _OTHER_BRANDS.get(data[8:12], VIDEO)
    if data[:4] == b"RIFF" and data[8:12] == b"AVI ":
        return VIDEO
    return ""


def sniff(data: bytes) -> Format | None:
    """Return the accepted format whose signature ``data`` has, or None."""
    for signature, format_ in _SIGNATURES:
        if data.startswith(signature):
            return format_
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return BMP
    if data[4:8] == b"ftyp" and _is_heic(data):
        return HEIC
    return None


def _is_heic(data: bytes) -> bool:
    """Whether a file is HEIC rather than another kind with the same container (AVIF, MP4, …), by its brands."""
    end = min(int.from_bytes(data[:4], "big"), 4096)
    major, compatible = data[8:12], {data[at : at + 4] for at in range(16, end, 4)}
    return major in _HEVC_BRANDS or (major in _NEUTRAL_BRANDS and bool(compatible & _HEVC_BRANDS))
