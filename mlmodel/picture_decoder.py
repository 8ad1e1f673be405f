"""From the bytes of a picture to upright 8-bit sRGB, with Pillow. Runs in a worker process: see picture_worker.

Pillow's limits and warning filters belong to a whole process, not to a thread, which is one more reason for a process
of its own: here they can be set without touching the program that asks.
"""

import warnings
from io import BytesIO

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageCms, ImageFile, TiffImagePlugin

from mlmodel.picture_errors import MAX_PIXELS, BrokenPicture, NotAPicture, PictureError, TooManyPixels
from mlmodel.picture_formats import sniff

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
# What an embedded profile may describe, by the mode of the picture it comes with.
_PROFILE_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab "}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_RAW_FILE = "This is a camera's raw file. Send the photograph as JPEG, or as a TIFF that was developed from it."
_UNUSUAL_PIXELS = "The picture's pixels are not of an ordinary kind (32-bit numbers). Save it as JPEG or PNG."


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
        raise NotAPicture
    with Image.open(BytesIO(data), formats=[known.plugin]) as opened:
        _refuse_too_many_pixels(opened)  # from the header; nothing has been decoded yet
        if isinstance(opened, TiffImagePlugin.TiffImageFile):
            _refuse_raw_files(opened)
        image: Image.Image = opened
        image.load()
        _refuse_too_many_pixels(opened)  # a frame may turn out larger than its header said
        orientation = _orientation(image)
        image = _upright(_to_srgb(image), orientation)
        return np.asarray(image, dtype=np.uint8)


def _refuse_too_many_pixels(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise TooManyPixels(reason=f"{image.width}×{image.height}")


def _refuse_raw_files(image: TiffImagePlugin.TiffImageFile) -> None:
    """Raw files look like TIFF and lead with a thumbnail, which would be judged in the photograph's place."""
    is_thumbnail = image.tag_v2.get(254, 0) == 1
    is_digital_negative = 50706 in image.tag_v2
    if is_thumbnail or is_digital_negative:
        raise NotAPicture(_RAW_FILE)


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


def _to_srgb(image: Image.Image) -> Image.Image:
    """Return any picture as opaque RGB, transparent parts on white, its embedded colour profile applied."""
    profile = image.info.get("icc_profile")
    image = _eight_bits(image)
    alpha = None
    if image.has_transparency_data or image.mode in ("La", "RGBa"):
        image = image.convert("LA" if image.mode in ("L", "LA", "La", "1") else "RGBA")
        alpha = image.getchannel("A")
        image = image.convert("L" if image.mode == "LA" else "RGB")
    elif image.mode in ("1", "P"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    image = _apply_profile(image, profile)
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
        raise NotAPicture(_UNUSUAL_PIXELS, reason=image.mode)
    if not image.mode.startswith("I;16"):
        return image
    values = np.asarray(image).astype(np.uint32)
    full_scale, inverted = 65535, False
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        full_scale = 2 ** int(image.tag_v2.get(258, (16,))[0]) - 1  # 12-bit cameras say so
        inverted = image.tag_v2.get(262) == 0  # "white is zero", which Pillow leaves as it is
    values = np.minimum((values * 255 + full_scale // 2) // full_scale, 255).astype(np.uint8)
    return Image.fromarray(255 - values if inverted else values)


def _apply_profile(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to sRGB by the embedded profile; without one, or with one that does not fit, by Pillow's own rules."""
    if image.mode == "LAB":
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        return _transformed(image, source)
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            fits = source.profile.xcolor_space == _PROFILE_SPACES.get(image.mode)
            # Most cameras embed sRGB itself: nothing to convert, and no rounding to suffer.
            is_srgb = (source.profile.profile_description or "").startswith("sRGB")
            if fits and not is_srgb:
                return _transformed(image, source)
        except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
            pass  # a broken profile is ignored, as browsers do
    return image.convert("RGB")


def _transformed(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    transformed = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    if transformed is None:
        raise BrokenPicture(reason="colour transform without a result")
    return transformed
