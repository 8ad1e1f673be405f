"""Decoding of pictures to upright 8-bit sRGB with Pillow, in a worker process: see ``decode_worker``.

Pillow's limits and warning filters apply to a whole process; in a worker they do not affect the parent.
"""

import warnings
from io import BytesIO

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

from mlmodel.pictures.colour_profiles import ADOBE_GAMMA, ADOBE_RGB, Colours, coded_colours, convert_to_srgb
from mlmodel.pictures.formats import BMP, HEIC, JPEG, PNG, TIFF, WEBP, Format, refusal_of, sniff
from mlmodel.pictures.heic import check_heic
from mlmodel.pictures.jpeg import decode_jpeg, read_layout
from mlmodel.pictures.picture_errors import (
    MAX_PIXELS,
    UNUSUAL_COLOURS,
    BrokenPicture,
    PictureError,
    TooManyPixels,
    UnsupportedPicture,
)
from mlmodel.pictures.png import check_png
from mlmodel.pictures.tiff import UNUSUAL_NUMBERS, Tiff
from mlmodel.pictures.tiff_parts import read_parts
from mlmodel.pictures.webp import check_chunks, decode_still, first_frame, shortened

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


# The colour transforms allowed in Adobe's marker, by the number of components. Without the marker, three components
# are YCbCr or RGB by convention; with four it is unknown whether they are inverted.
_ADOBE_COLOURS: dict[int, frozenset[int | None]] = {
    1: frozenset({None, 0, 1, 2}),
    3: frozenset({None, 0, 1}),
    4: frozenset({0, 2}),
}


def decode_bytes(data: bytes) -> np.ndarray:
    """Return the first frame of ``data`` as uint8 (H, W, 3), sRGB, upright.

    Raises only a PictureError, apart from KeyboardInterrupt and SystemExit.
    """
    try:
        return _decode(data)
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise TooManyPixels(reason=repr(error)) from error
    except Exception as error:
        # Hostile files can make Pillow's plug-ins raise almost anything: OSError, SyntaxError, struct.error,
        # ValueError, OverflowError, KeyError, …
        raise BrokenPicture(reason=repr(error)) from error


def set_process_limits() -> None:
    """Make Pillow strict. This affects the whole process: call it only in a worker."""
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def _decode(data: bytes) -> np.ndarray:
    format_ = sniff(data)
    if format_ is None:
        raise refusal_of(data)
    image, colours = _READERS.get(format_, _read_any)(data, format_)
    image.load()
    _refuse_too_many_pixels(image)  # a frame may be larger than stated in its header
    orientation = _orientation(image)
    image = _upright(_to_srgb(image, colours), orientation)
    return np.asarray(image, dtype=np.uint8)


def _opened(data: bytes, format_: Format) -> Image.Image:
    """Return a file opened with the plug-in of its format only, not yet decoded."""
    image = Image.open(BytesIO(data), formats=[format_.plugin])
    _refuse_too_many_pixels(image)
    return image


def _read_any(data: bytes, format_: Format) -> tuple[Image.Image, Colours | None]:
    return _opened(data, format_), None


def _read_jpeg(data: bytes, format_: Format) -> tuple[Image.Image, Colours | None]:
    layout = read_layout(data)  # before Pillow, whose errors for unusual kinds are less specific
    if layout.adobe not in _ADOBE_COLOURS[len(layout.components)]:
        reason = f"{len(layout.components)} components, Adobe's marker has {layout.adobe}"
        raise UnsupportedPicture(UNUSUAL_COLOURS, reason=reason)
    header = _opened(data, format_)
    pixels = decode_jpeg(data, layout)
    if header.mode == "CMYK":  # inverted, as Adobe and all others write them
        image = Image.frombytes("CMYK", header.size, pixels.tobytes(), "raw", "CMYK;I")
    else:
        image = Image.fromarray(pixels)
    colours = Colours(primaries=ADOBE_RGB, gamma=ADOBE_GAMMA) if _is_adobe_rgb(header) else None
    return _described_by(header, image), colours


def _described_by(header: Image.Image, image: Image.Image) -> Image.Image:
    """Return decoded pixels with the profile and orientation that Pillow read from their file."""
    image.info = {"icc_profile": header.info.get("icc_profile")}
    image.getexif()[ExifTags.Base.Orientation] = _orientation(header)
    return image


def _is_adobe_rgb(image: Image.Image) -> bool:
    """Whether EXIF specifies Adobe RGB, as cameras without embedded profiles do (DCF, "R03")."""
    try:
        return image.getexif().get_ifd(ExifTags.IFD.Interop).get(1) == "R03"
    except Exception:
        return False  # broken metadata


def _read_png(data: bytes, format_: Format) -> tuple[Image.Image, Colours | None]:
    image = _opened(data, format_)  # the size first, to refuse decompression bombs early
    return image, check_png(data)


def _read_tiff(data: bytes, format_: Format) -> tuple[Image.Image, Colours | None]:
    tiff = Tiff(data)
    if tiff.width * tiff.height > MAX_PIXELS:
        raise TooManyPixels(reason=f"{tiff.width}×{tiff.height}")
    tiff.check()
    try:
        return _without_empty_alpha(read_parts(tiff) or _opened(data, format_)), None
    except UnidentifiedImageError as error:
        raise UnsupportedPicture(reason=repr(error)) from error  # its directory was readable, so it is a TIFF


def _read_webp(data: bytes, format_: Format) -> tuple[Image.Image, Colours | None]:
    check_chunks(data)
    header = _opened(data, format_)
    is_moving = getattr(header, "is_animated", False)
    image = _first_frame(data, header) if is_moving else decode_still(data, header.mode, header.size)
    if image is not None:
        return _described_by(header, image), None
    header.load()  # so that a damaged header is reported first
    if _is_readable(shortened(data), format_):
        raise BrokenPicture(reason="coded data were left over")
    return header, None


def _first_frame(data: bytes, header: Image.Image) -> Image.Image | None:
    """Return the first frame of an animated WebP on an empty canvas, or None as for ``decode_still``."""
    place, file = first_frame(data)
    frame = _opened(file, WEBP)
    image = decode_still(file, frame.mode, frame.size)
    if image is None or image.size == header.size:
        return image
    canvas = Image.new(header.mode, header.size)
    canvas.paste(image.convert(header.mode), place)
    return canvas


def _is_readable(data: bytes, format_: Format) -> bool:
    try:
        _opened(data, format_).load()
    except (OSError, ValueError, SyntaxError):
        return False
    return True


def _read_bmp(data: bytes, format_: Format) -> tuple[Image.Image, Colours | None]:
    try:
        return _without_empty_alpha(_opened(data, format_)), None
    except OSError as error:
        if "Unsupported BMP" in str(error):
            raise UnsupportedPicture(reason=str(error)) from error
        raise


def _read_heic(data: bytes, format_: Format) -> tuple[Image.Image, Colours | None]:
    check_heic(data)
    image = _opened(data, format_)
    coded = image.info.get("nclx_profile")
    if not coded or image.info.get("icc_profile"):
        return image, None
    return image, coded_colours(primaries=coded["color_primaries"], transfer=coded["transfer_characteristics"])


_READERS = {JPEG: _read_jpeg, PNG: _read_png, TIFF: _read_tiff, WEBP: _read_webp, BMP: _read_bmp, HEIC: _read_heic}


def _without_empty_alpha(image: Image.Image) -> Image.Image:
    """Return a picture without its alpha channel if that is zero everywhere, as many programs leave it unset."""
    image.load()
    if image.mode != "RGBA" or image.getchannel("A").getextrema() != (0, 0):
        return image
    opaque = image.convert("RGB")
    opaque.info = {"icc_profile": image.info.get("icc_profile")}
    opaque.getexif()[ExifTags.Base.Orientation] = _orientation(image)
    return opaque


def _refuse_too_many_pixels(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise TooManyPixels(reason=f"{image.width}×{image.height}")


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) if it is missing or unreadable.

    To be called after loading: Pillow rotates TIFFs and libheif rotates HEICs on loading and then drop the tag.
    """
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1  # broken metadata is no reason to refuse intact pixels


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _to_srgb(image: Image.Image, colours: Colours | None) -> Image.Image:
    """Return any picture as opaque sRGB, with transparent parts on white."""
    profile = image.info.get("icc_profile")
    described = None if profile or colours is None else colours.profile()
    image = _eight_bits(image)
    alpha = None
    if image.has_transparency_data or image.mode in ("La", "RGBa"):
        image = image.convert("LA" if image.mode in ("L", "LA", "La", "1") else "RGBA")
        alpha = image.getchannel("A")
        image = image.convert("L" if image.mode == "LA" else "RGB")
    elif image.mode in ("1", "P"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    if described is not None and image.mode in ("L", "RGB"):
        image = convert_to_srgb(image.convert("RGB"), described)
    else:
        image = convert_to_srgb(image, profile)
    if alpha is not None:
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=alpha)
        image = white
    return image


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return 16-bit grey as 8-bit grey; refuse pixels with an unknown range (32-bit integers and floats).

    16-bit colour needs no conversion, since Pillow reads the high bytes.
    """
    if image.mode in ("I", "F"):
        raise UnsupportedPicture(UNUSUAL_NUMBERS, reason=image.mode)
    if not image.mode.startswith("I;16"):
        return image
    values = np.asarray(image).astype(np.uint32)
    full_scale, inverted = 65535, False
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        full_scale = 2 ** int(image.tag_v2.get(258, (16,))[0]) - 1  # 12-bit cameras state this
        inverted = image.tag_v2.get(262) == 0  # "white is zero", which Pillow does not invert
    values = np.minimum((values * 255 + full_scale // 2) // full_scale, 255).astype(np.uint8)
    return Image.fromarray(255 - values if inverted else values)
