"""Alignments of stored photographs, remembered in the cache: one takes about a second."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.core.cache import cache
from PIL import Image as PillowImage

from diagnosis.images.errors import CannotReadOriginal
from diagnosis.images.models import Image
from diagnosis.measures.services import StoredMeasures
from mlmodel.alignment.aligning import METHOD, Alignment, AlignmentRefusal, align
from mlmodel.alignment.similarity import Similarity
from mlmodel.segmentation.outlines import Outline

_WEEK = 7 * 24 * 3600


@dataclass(frozen=True)
class Measured:
    """A photograph with its measures; without, if they cannot be relied on."""

    image: Image
    measures: StoredMeasures | None

    @property
    def outline(self) -> Outline | None:
        """The outline, if it is reliable and whole."""
        values = self.measures.values if self.measures else {}
        if not values or values["doubt"] is not None or values["is_cut"] or not values["outline"]:
            return None
        return np.array(values["outline"])


def alignment_of(*, first: Measured, second: Measured) -> Alignment:
    """Return the alignment of the second photograph to the first.

    Raises:
        CannotReadOriginal: a file is missing or corrupt.
    """
    key = _key(first, second)
    stored = cache.get(key)
    if stored is not None:
        return _restored(stored)
    found = align(_pixels(first.image), _pixels(second.image), outlines=(first.outline, second.outline))
    cache.set(key, _stored(found), _WEEK)
    return found


def matrix_onto_first(alignment: Alignment, *, first: Image, second: Image) -> tuple[float, ...]:
    """Return a CSS matrix that lays the second photograph onto the first, both drawn 1000 units wide."""
    own, other = _Drawn.of(first), _Drawn.of(second)
    back = alignment.to_second.inverse()
    factor = back.factor * own.side / other.side
    shift = own.side * back.shift + own.origin - factor * other.origin
    return tuple(
        round(each, 5) for each in (factor.real, factor.imag, -factor.imag, factor.real, shift.real, shift.imag)
    )


@dataclass(frozen=True)
class _Drawn:
    """A photograph drawn 1000 units wide: its centre square's side and corner, in those units."""

    side: float
    origin: complex

    @classmethod
    def of(cls, image: Image) -> "_Drawn":
        unit, side = 1000 / image.width, min(image.width, image.height)
        return cls(side * unit, complex(image.width - side, image.height - side) / 2 * unit)


def _pixels(image: Image) -> npt.NDArray[np.uint8]:
    """Return the photograph as it is displayed: upright, in sRGB, and encoded by ourselves."""
    try:
        with image.display.open("rb") as file, PillowImage.open(file) as picture:
            return np.asarray(picture.convert("RGB"))
    except OSError as error:
        raise CannotReadOriginal from error


def _key(first: Measured, second: Measured) -> str:
    """Return a key that changes with the photographs, their outlines and the method."""
    parts = [METHOD]
    for each in (first, second):
        parts += [str(each.image.pk), each.measures.segmenter_sha256 if each.measures else ""]
    return "alignment-" + hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _stored(alignment: Alignment) -> dict[str, Any]:
    return asdict(alignment)


def _restored(values: dict[str, Any]) -> Alignment:
    refusal = values["refusal"]
    return Alignment(
        **{
            **values,
            "to_second": Similarity(**values["to_second"]),
            "refusal": None if refusal is None else AlignmentRefusal(refusal),
        }
    )
