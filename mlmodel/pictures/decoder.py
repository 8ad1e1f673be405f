"""From the bytes of a picture to upright 8-bit sRGB, with Pillow. Runs in a worker process: see picture_worker.

Pillow's limits and warning filters belong to a whole process, not to a thread, which is one more reason for a process
of its own: here they can be set without touching the program that asks.
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


# By the number of components: what Adobe's marker may say of their colours. Without it three are YCbCr or RGB, as
# everybody reads them; of four nobody can tell whether they are stored inverted.
_ADOBE_COLOURS: dict[int, frozenset[int | None]] = {
    1: frozenset({None, 0, 1, 2}),
    3: frozenset({None, 0, 1}),
    4: frozenset({0, 2}),
}


def decode_bytes(data: bytes) -> np.ndarray:
    """Return the first frame of ``data`` as uint8 (H, W, 3), sRGB, upright.

    Raises a PictureError, and nothing else but what ends a process (KeyboardInterrupt, SystemExit).
    """
    try:
        return _decode(data)
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise TooManyPixels(reason=repr(error)) from error
    except Exception as error:
        # Pillow's plug-ins raise whatever a hostile byte leads them to: OSError, SyntaxError, struct.error,
        # ValueError, OverflowError, KeyError, … There is no list that stays complete.
        raise BrokenPicture(reason=repr(error)) from error


def set_process_limits() -> None:
    """Make Pillow as strict as is wanted here. For the whole process: call it in a process that only decodes."""
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def _decode(data: bytes) -> np.ndarray:
    known = sniff(data)
    if known is None:
        raise refusal_of(data)
    image, colours = _READERS.get(known, _read_any)(data, known)
    image.load()
    _refuse_too_many_pixels(image)  # a frame may turn out larger than its header said
    orientation = _orientation(image)
    image = _upright(_to_srgb(image, colours), orientation)
    return np.asarray(image, dtype=np.uint8)


def _opened(data: bytes, known: Format) -> Image.Image:
    """Open a file with the plug-in of its format alone; nothing is decoded yet."""
    image = Image.open(BytesIO(data), formats=[known.plugin])
    _refuse_too_many_pixels(image)
    return image


def _read_any(data: bytes, known: Format) -> tuple[Image.Image, Colours | None]:
    return _opened(data, known), None


def _read_jpeg(data: bytes, known: Format) -> tuple[Image.Image, Colours | None]:
    layout = read_layout(data)  # before Pillow, which says of unusual kinds only that it does not know them
    if layout.adobe not in _ADOBE_COLOURS[len(layout.components)]:
        reason = f"{len(layout.components)} components, Adobe's marker says {layout.adobe}"
        raise UnsupportedPicture(UNUSUAL_COLOURS, reason=reason)
    header = _opened(data, known)
    pixels = decode_jpeg(data, layout)
    if header.mode == "CMYK":  # inverted, as Adobe writes them and everybody since
        image = Image.frombytes("CMYK", header.size, pixels.tobytes(), "raw", "CMYK;I")
    else:
        image = Image.fromarray(pixels)
    colours = Colours(primaries=ADOBE_RGB, gamma=ADOBE_GAMMA) if _is_adobe_rgb(header) else None
    return _described_by(header, image), colours


def _described_by(header: Image.Image, image: Image.Image) -> Image.Image:
    """Give pixels that were read here the profile and the orientation that Pillow has read of their file."""
    image.info = {"icc_profile": header.info.get("icc_profile")}
    image.getexif()[ExifTags.Base.Orientation] = _orientation(header)
    return image


def _is_adobe_rgb(image: Image.Image) -> bool:
    """Tell whether EXIF says so in the way of cameras that embed no profile (DCF, "R03")."""
    try:
        return image.getexif().get_ifd(ExifTags.IFD.Interop).get(1) == "R03"
    except Exception:
        return False  # broken metadata


def _read_png(data: bytes, known: Format) -> tuple[Image.Image, Colours | None]:
    image = _opened(data, known)  # the size first: no checksum is worth reading a bomb
    return image, check_png(data)


def _read_tiff(data: bytes, known: Format) -> tuple[Image.Image, Colours | None]:
    tiff = Tiff(data)
    if tiff.width * tiff.height > MAX_PIXELS:
        raise TooManyPixels(reason=f"{tiff.width}×{tiff.height}")
    tiff.check()
    try:
        return _without_empty_alpha(read_parts(tiff) or _opened(data, known)), None
    except UnidentifiedImageError as error:
        raise UnsupportedPicture(reason=repr(error)) from error  # its directory was read, so it is a TIFF


def _read_webp(data: bytes, known: Format) -> tuple[Image.Image, Colours | None]:
    check_chunks(data)
    header = _opened(data, known)
    is_moving = getattr(header, "is_animated", False)
    image = _first_frame(data, header) if is_moving else decode_still(data, header.mode, header.size)
    if image is not None:
        return _described_by(header, image), None
    header.load()  # a damaged header is told here, and not by the shortened one
    if _is_readable(shortened(data), known):
        raise BrokenPicture(reason="coded data were left over")
    return header, None


def _first_frame(data: bytes, header: Image.Image) -> Image.Image | None:
    """Return the first frame of a moving WebP on its canvas, which is empty before; None as ``decode_still`` does."""
    place, file = first_frame(data)
    frame = _opened(file, WEBP)
    image = decode_still(file, frame.mode, frame.size)
    if image is None or image.size == header.size:
        return image
    canvas = Image.new(header.mode, header.size)
    canvas.paste(image.convert(header.mode), place)
    return canvas


def _is_readable(data: bytes, known: Format) -> bool:
    try:
        _opened(data, known).load()
    except (OSError, ValueError, SyntaxError):
        return False
    return True


def _read_bmp(data: bytes, known: Format) -> tuple[Image.Image, Colours | None]:
    try:
        return _without_empty_alpha(_opened(data, known)), None
    except OSError as error:
        if "Unsupported BMP" in str(error):
            raise UnsupportedPicture(reason=str(error)) from error
        raise


def _read_heic(data: bytes, known: Format) -> tuple[Image.Image, Colours | None]:
    check_heic(data)
    image = _opened(data, known)
    coded = image.info.get("nclx_profile")
    if not coded or image.info.get("icc_profile"):
        return image, None
    return image, coded_colours(primaries=coded["color_primaries"], transfer=coded["transfer_characteristics"])


_READERS = {JPEG: _read_jpeg, PNG: _read_png, TIFF: _read_tiff, WEBP: _read_webp, BMP: _read_bmp, HEIC: _read_heic}


def _without_empty_alpha(image: Image.Image) -> Image.Image:
    """Return a picture without its alpha channel if that is zero everywhere: many programs leave it unset."""
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

    Asked after loading: Pillow turns TIFFs and libheif turns HEICs by themselves, and then drop the tag.
    """
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1  # broken metadata is no reason to refuse whole pixels


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _to_srgb(image: Image.Image, colours: Colours | None) -> Image.Image:
    """Return any picture as opaque RGB, transparent parts on white, its colours as they are meant."""
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
    """Return 16-bit grey as 8-bit grey; refuse pixels whose range is not known (32-bit integers and floats).

    16-bit colour needs nothing here: Pillow reads its high bytes.
    """
    if image.mode in ("I", "F"):
        raise UnsupportedPicture(UNUSUAL_NUMBERS, reason=image.mode)
    if not image.mode.startswith("I;16"):
        return image
    values = np.asarray(image).astype(np.uint32)
    full_scale, inverted = 65535, False
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        full_scale = 2 ** int(image.tag_v2.get(258, (16,))[0]) - 1  # 12-bit cameras say so
        inverted = image.tag_v2.get(262) == 0  # "white is zero", which Pillow leaves as it is
    values = np.minimum((values * 255 + full_scale // 2) // full_scale, 255).astype(np.uint8)
    return Image.fromarray(255 - values if inverted else values)
