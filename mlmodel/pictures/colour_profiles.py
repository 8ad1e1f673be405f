"""Conversion of all pictures to sRGB by the content of their colour profile, never by its name.

Colour information other than an ICC profile (PNG's gAMA, cHRM and cICP, HEIC's nclx, EXIF's Adobe RGB) is turned into
a profile, so that there is a single conversion. High dynamic range (PQ, HLG) has no unique 8-bit rendering and is
refused.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from mlmodel.pictures.picture_errors import UNUSUAL_COLOURS, BrokenPicture, UnsupportedPicture
from mlmodel.texts import Text
from mlmodel.texts import gettext_noop as _

HDR = Text(
    _(
        "This is a high-dynamic-range (HDR) photograph, whose colours cannot be shown faithfully here. Switch HDR off "
        "in the camera, or save the photograph as an ordinary JPEG, then send that."
    )
)
_OTHER_PROFILE = Text(
    _(
        "The colour profile in this picture is for another kind of picture, so its colours cannot be determined. Save "
        "it as an ordinary JPEG (sRGB), then send that."
    )
)

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
# The colour space that an embedded profile must have, by the mode of the picture.
_PROFILE_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab "}
# A profile that changes no colour by more than this counts as sRGB, and nothing is converted.
_SAME_WITHIN = 2

Chromaticities = Sequence[tuple[float, float]]
_D65 = (0.3127, 0.3290)
_SRGB_PRIMARIES = (_D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
ADOBE_RGB: Chromaticities = (_D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
ADOBE_GAMMA = 563 / 256
# ITU-T H.273: white, red, green, blue. 2 is "unspecified".
_PRIMARIES: dict[int, Chromaticities] = {
    1: _SRGB_PRIMARIES,
    2: _SRGB_PRIMARIES,
    5: (_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: (_D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    7: (_D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    9: (_D65, (0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    12: (_D65, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
}
# Video curves are treated as sRGB, as in viewers; the others are pure powers.
_SRGB_LIKE_TRANSFERS = frozenset({1, 2, 6, 13, 14, 15})
_POWER_TRANSFERS = {4: 2.2, 5: 2.8, 8: 1.0}
_HDR_TRANSFERS = frozenset({16, 18})


@dataclass(frozen=True)
class Colours:
    """The colour space of a file without an ICC profile.

    Attributes:
        primaries: x and y of white, red, green and blue.
        gamma: the exponent of the transfer curve; None for sRGB's curve.
    """

    primaries: Chromaticities = _SRGB_PRIMARIES
    gamma: float | None = None

    def profile(self) -> bytes | None:
        """Return an equivalent ICC profile, or None if the values are invalid."""
        try:
            return _matrix_profile(self.primaries, self.gamma)
        except (np.linalg.LinAlgError, ZeroDivisionError, struct.error, ValueError, OverflowError):
            return None


def coded_colours(*, primaries: int, transfer: int) -> Colours:
    """Return the colours for code points of ITU-T H.273 (nclx in HEIC, cICP in PNG).

    Raises:
        UnsupportedPicture: high dynamic range, or a colour space that cameras do not use.
    """
    if transfer in _HDR_TRANSFERS:
        raise UnsupportedPicture(HDR, reason=f"transfer {transfer}")
    if primaries not in _PRIMARIES or not (transfer in _SRGB_LIKE_TRANSFERS or transfer in _POWER_TRANSFERS):
        raise UnsupportedPicture(UNUSUAL_COLOURS, reason=f"primaries {primaries}, transfer {transfer}")
    return Colours(primaries=_PRIMARIES[primaries], gamma=_POWER_TRANSFERS.get(transfer))


def convert_to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return an opaque picture in sRGB. Without a readable profile, Pillow's conversion is used.

    Raises:
        UnsupportedPicture: the profile is for high dynamic range, or for another kind of pixels.
    """
    if image.mode == "LAB":
        return _transformed(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    source = _readable(profile)
    if source is None:
        return image.convert("RGB")
    if _is_hdr(profile or b""):
        raise UnsupportedPicture(HDR, reason="profile")
    if image.mode not in _PROFILE_SPACES:
        image = image.convert("RGB")  # YCbCr, or RGB with an unused channel
    image = _as_described(image, source.profile.xcolor_space)
    try:
        return image.convert("RGB") if _changes_nothing(source, image.mode) else _transformed(image, source)
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return image.convert("RGB")  # a broken profile is ignored, as browsers do


def _as_described(image: Image.Image, space: str) -> Image.Image:
    """Return a picture in the mode that its profile describes.

    Grey pixels may have an RGB profile, and RGB pixels that are all grey may have a grey profile, since programs that
    convert between the two do not change the profile.

    Raises:
        UnsupportedPicture: the profile is for another kind of pixels.
    """
    if space == _PROFILE_SPACES.get(image.mode):
        return image
    if image.mode == "L" and space == _PROFILE_SPACES["RGB"]:
        return image.convert("RGB")
    if image.mode == "RGB" and space == _PROFILE_SPACES["L"]:
        red, green, blue = image.split()
        if red.tobytes() == green.tobytes() == blue.tobytes():
            return red
    raise UnsupportedPicture(_OTHER_PROFILE, reason=f"profile of {space!r} in a picture of {image.mode}")


def _readable(profile: bytes | None) -> ImageCms.ImageCmsProfile | None:
    if not profile:
        return None
    try:
        return ImageCms.ImageCmsProfile(BytesIO(profile))
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return None


def _changes_nothing(source: ImageCms.ImageCmsProfile, mode: str) -> bool:
    """Whether a profile is sRGB, tested by converting a few thousand colours."""
    if mode == "RGB":
        steps = np.linspace(0, 255, 16).round().astype(np.uint8)
        probe = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(64, 64, 3)
    elif mode == "L":
        probe = np.arange(256, dtype=np.uint8)[None]
    else:
        return False
    image = Image.fromarray(probe)
    expected = np.asarray(image.convert("RGB"), dtype=np.int16)
    converted = np.asarray(_transformed(image, source), dtype=np.int16)
    return int(np.abs(converted - expected).max()) <= _SAME_WITHIN


def _is_hdr(profile: bytes) -> bool:
    """Whether a profile's tag "cicp" (ICC.1:2022) specifies PQ or HLG."""
    for at in range(132, min(len(profile), 132 + 12 * int.from_bytes(profile[128:132], "big")), 12):
        if profile[at : at + 4] == b"cicp":
            start = int.from_bytes(profile[at + 4 : at + 8], "big")
            return len(profile) > start + 9 and profile[start + 9] in _HDR_TRANSFERS
    return False


def _transformed(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    transformed = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    if transformed is None:
        raise BrokenPicture(reason="colour transform without a result")
    return transformed


def _matrix_profile(primaries: Chromaticities, gamma: float | None) -> bytes:
    """Return a display profile (ICC.1:2001-04): three primaries and one curve."""
    to_d50 = _matrix_to_d50(primaries)
    curve = _curve(gamma)
    tags = {
        b"desc": b"desc" + struct.pack(">II", 0, 2) + b"x\0" + bytes(79),
        b"cprt": b"text" + bytes(4) + b"\0",
        b"wtpt": _xyz(_D50),
        b"rXYZ": _xyz(to_d50[:, 0]),
        b"gXYZ": _xyz(to_d50[:, 1]),
        b"bXYZ": _xyz(to_d50[:, 2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    directory, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        value += bytes(-len(value) % 4)
        directory += name + struct.pack(">II", start + len(body), len(value))
        body += value
    header = struct.pack(
        ">I4sI4s4s4s12x4s4xI4x4x8xI12s4x44x", start + len(body), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ",
        b"acsp", 0, 0, _xyz(_D50)[8:],
    )  # fmt: skip
    return header + directory + body


_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def _matrix_to_d50(primaries: Chromaticities) -> npt.NDArray[np.float64]:
    white, *rest = (np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in primaries)
    columns = np.stack(rest, axis=1)
    to_xyz = columns * np.linalg.solve(columns, white)
    cone = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    adapted: npt.NDArray[np.float64] = np.linalg.inv(_BRADFORD) @ np.diag(cone) @ _BRADFORD @ to_xyz
    if not np.isfinite(adapted).all():
        raise ValueError("primaries without a matrix")
    return adapted


def _xyz(values: npt.NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(float(value) * 65536) for value in values))


def _curve(gamma: float | None) -> bytes:
    values = np.linspace(0.0, 1.0, 1024)
    if gamma is None:
        light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    else:
        light = values**gamma
    return b"curv" + struct.pack(">II", 0, 1024) + (light * 65535).round().astype(">u2").tobytes()
