"""Compare two photographs of one lesion: alignment, and what has changed."""

from contextlib import suppress
from dataclasses import dataclass

from diagnosis.comparing.alignments import Measured, alignment_of, matrix_onto_first
from diagnosis.comparing.incomparable import differences, is_measured
from diagnosis.images.errors import CannotReadOriginal
from diagnosis.images.models import Image
from diagnosis.measures.scales import Scale
from diagnosis.measures.services import StoredMeasures, measures_if_readable
from mlmodel.alignment.aligning import Alignment
from mlmodel.alignment.changes import Change, Doubt, Measure, Shown, Verdict, changes


@dataclass(frozen=True)
class Comparison:
    """The second photograph compared with the first, an earlier one.

    Attributes:
        alignment: None if a photograph cannot be read.
        matrix: the CSS matrix that lays the second onto the first; empty without an alignment.
        diameter: of the lesion in the first, in sides of its centre square; None if it is not known.
    """

    first: Measured
    second: Measured
    alignment: Alignment | None
    matrix: tuple[float, ...]
    changes: tuple[Change, ...]
    diameter: float | None

    @property
    def is_aligned(self) -> bool:
        return bool(self.matrix)


def compare(*, first: Image, second: Image) -> Comparison:
    """Compare two photographs. Slow the first time: do not call inside a transaction."""
    own, other = (Measured(image, _measures(image)) for image in (first, second))
    alignment = None
    with suppress(CannotReadOriginal):
        alignment = alignment_of(first=own, second=other)
    doubts = [each.doubt for each in differences([first, second]) if each.doubt is not None]
    matrix: tuple[float, ...] = ()
    if alignment is not None and alignment.refusal is None:
        matrix = matrix_onto_first(alignment, first=first, second=second)
    return Comparison(
        first=own,
        second=other,
        alignment=alignment,
        matrix=matrix,
        changes=_changes(own, other, alignment, doubts),
        diameter=own.measures.values["diameter"] if own.measures else None,
    )


def _measures(image: Image) -> StoredMeasures | None:
    return measures_if_readable(image=image) if is_measured(image) else None


def _changes(own: Measured, other: Measured, alignment: Alignment | None, doubts: list[Doubt]) -> tuple[Change, ...]:
    if own.measures is None or other.measures is None:
        reasons = tuple(doubts) or (Doubt.NOT_MEASURED,)
        return tuple(Change(measure, Verdict.UNKNOWN, doubts=reasons) for measure in Measure)
    first, second = (
        Shown(measures.values, _square_mm(image, measures.scale))
        for image, measures in ((own.image, own.measures), (other.image, other.measures))
    )
    return changes(first, second, alignment, doubts=doubts)


def _square_mm(image: Image, scale: Scale | None) -> float | None:
    """Return the width of the centre square, which measures are shares of."""
    return None if scale is None else float(scale.width_mm) * min(image.width, image.height) / image.width
