"""Changes of a lesion between two photographs, with what alignment and measurement leave uncertain.

A change counts only if it is larger than 19 of 20 pairs of photographs of one lesion differ anyway: in position,
light, pressure and in how the outline falls. The margins were compared with pairs of one half of the lesions and
are reported on the other (``python -m benchmarks.alignment``; docs/understand/alignment.md). What is within the
margin is not said to be unchanged, and what the photographs cannot show has no value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from mlmodel.alignment.aligning import Alignment
from mlmodel.segmentation.dermoscopic_colours import COLOURS

# Margins at 95 %: natural logarithms of a ratio for area and border, differences for the others.
AREA_MARGIN, BORDER_MARGIN = 0.30, 0.35
ASYMMETRY_MARGIN, COLOUR_MARGIN = 0.08, 0.45
# A stated width is read from a data sheet or a ruler, within about 3 %.
_WIDTH_ERROR = 0.03
# Stated widths and alignment contradict each other beyond this factor of lengths.
_LARGEST_CONTRADICTION = 1.15
# A lesion smaller than this share of the square is too few pixels across; its measures follow the pixel grid.
SMALLEST_DIAMETER = 0.15
# Lesions whose sizes in the pictures differ by more than this factor do not show the same detail.
LARGEST_MAGNIFICATION = 2.0


class Measure(StrEnum):
    AREA = "area"
    COLOUR = "colour"
    ASYMMETRY = "asymmetry"
    BORDER = "border"


class Verdict(StrEnum):
    MORE = "more"
    LESS = "less"
    WITHIN = "within"
    UNKNOWN = "unknown"


class Doubt(StrEnum):
    """Why a change cannot be told from two photographs."""

    NOT_MEASURED = "not_measured"
    NO_OUTLINE = "no_outline"
    CUT_OFF = "cut_off"
    SMALL = "small"
    MAGNIFICATION = "magnification"
    NOT_ALIGNED = "not_aligned"
    NO_SCALE = "no_scale"
    WIDTHS_DISAGREE = "widths_disagree"
    DIFFERENT_KINDS = "different_kinds"
    NOT_ACCEPTED = "not_accepted"


class Basis(StrEnum):
    """What the sizes of the two photographs are compared by."""

    WIDTHS = "widths"
    SKIN = "skin"


@dataclass(frozen=True)
class Change:
    """The change of one measure from the first photograph to the second.

    Attributes:
        value: for area and border the ratio, > 0; for asymmetry the difference, in [−1, 1]; for colour the share of
            the lesion that has another of the six colours, in [0, 1]. None if it cannot be told.
        low, high: the interval at 95 % around ``value``.
        doubts: why it cannot be told.
        basis: for area alone.
    """

    measure: Measure
    verdict: Verdict
    value: float | None = None
    low: float | None = None
    high: float | None = None
    doubts: tuple[Doubt, ...] = ()
    basis: Basis | None = None


@dataclass(frozen=True)
class Shown:
    """What is known of one photograph: ``Measured.as_values``, and the width of its centre square in mm if stated."""

    values: Mapping[str, Any]
    square_mm: float | None = None


def changes(
    first: Shown, second: Shown, alignment: Alignment | None, *, doubts: Sequence[Doubt] = ()
) -> tuple[Change, ...]:
    """Return the change in area, colour, asymmetry and border.

    Args:
        doubts: what is known otherwise to make the two photographs incomparable.
    """
    general = (*doubts, *_doubts_of_outlines(first, second))
    fine = (*general, *_doubts_of_detail(first, second, alignment))
    return (
        _area(first, second, alignment, general),
        _colour(first, second, fine),
        _asymmetry(first, second, fine),
        _border(first, second, fine),
    )


def margin_of_areas_by_width() -> float:
    """Return the margin of the logarithm of a ratio of areas, if the widths of both pictures are stated."""
    return float(np.hypot(AREA_MARGIN, 2 * _WIDTH_ERROR))


def colour_difference(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Return the share that has another colour, skin counted as one: half the sum of differences of shares."""
    own, other = ([float(shares[colour]) for colour in COLOURS] for shares in (first, second))
    own, other = [*own, 1 - sum(own)], [*other, 1 - sum(other)]
    return sum(abs(a - b) for a, b in zip(own, other, strict=True)) / 2


def log_area_ratio(first: Mapping[str, Any], second: Mapping[str, Any], *, scale: float) -> float:
    """Return the logarithm of the second area over the first, if lengths of the second are ``scale`` times as long."""
    return float(np.log(second["area"] / first["area"]) - 2 * np.log(scale))


def _doubts_of_outlines(first: Shown, second: Shown) -> tuple[Doubt, ...]:
    doubts = []
    if any(shown.values["doubt"] is not None for shown in (first, second)):
        return (Doubt.NO_OUTLINE,)
    if any(shown.values["is_cut"] for shown in (first, second)):
        doubts.append(Doubt.CUT_OFF)
    if any(shown.values["diameter"] < SMALLEST_DIAMETER for shown in (first, second)):
        doubts.append(Doubt.SMALL)
    return tuple(doubts)


def _doubts_of_detail(first: Shown, second: Shown, alignment: Alignment | None) -> tuple[Doubt, ...]:
    if alignment is not None and alignment.refusal is None:
        factor = alignment.to_second.scale
    elif first.values["diameter"] and second.values["diameter"]:
        factor = second.values["diameter"] / first.values["diameter"]
    else:
        return ()
    return (Doubt.MAGNIFICATION,) if max(factor, 1 / factor) > LARGEST_MAGNIFICATION else ()


def _area(first: Shown, second: Shown, alignment: Alignment | None, doubts: tuple[Doubt, ...]) -> Change:
    aligned = alignment if alignment is not None and alignment.refusal is None else None
    scale, error, basis = None, 0.0, Basis.SKIN
    if first.square_mm and second.square_mm:
        scale, basis = first.square_mm / second.square_mm, Basis.WIDTHS
        by_skin = aligned.to_second.scale if aligned and aligned.is_by_skin else None
        if by_skin and max(scale / by_skin, by_skin / scale) > _LARGEST_CONTRADICTION:
            doubts = (*doubts, Doubt.WIDTHS_DISAGREE)
    elif aligned is None:
        doubts = (*doubts, Doubt.NOT_ALIGNED)
    elif not aligned.is_by_skin or aligned.scale_error is None:
        doubts = (*doubts, Doubt.NO_SCALE)
    else:
        scale, error = aligned.to_second.scale, 1.96 * aligned.scale_error
    if doubts or scale is None:
        return Change(Measure.AREA, Verdict.UNKNOWN, doubts=doubts)
    value = log_area_ratio(first.values, second.values, scale=scale)
    margin = margin_of_areas_by_width() if basis is Basis.WIDTHS else float(np.hypot(AREA_MARGIN, 2 * error))
    return _ratio(Measure.AREA, value, margin, basis)


def _border(first: Shown, second: Shown, doubts: tuple[Doubt, ...]) -> Change:
    if doubts:
        return Change(Measure.BORDER, Verdict.UNKNOWN, doubts=doubts)
    own, other = (shown.values["border"]["compactness"] for shown in (first, second))
    return _ratio(Measure.BORDER, float(np.log(other / own)), BORDER_MARGIN)


def _asymmetry(first: Shown, second: Shown, doubts: tuple[Doubt, ...]) -> Change:
    if doubts:
        return Change(Measure.ASYMMETRY, Verdict.UNKNOWN, doubts=doubts)
    own, other = (shown.values["asymmetry"]["shape"] for shown in (first, second))
    value, margin = other - own, ASYMMETRY_MARGIN
    return Change(Measure.ASYMMETRY, _verdict(value, margin), value, value - margin, value + margin)


def _colour(first: Shown, second: Shown, doubts: tuple[Doubt, ...]) -> Change:
    doubts = tuple(doubt for doubt in doubts if doubt is not Doubt.CUT_OFF)
    if doubts:
        return Change(Measure.COLOUR, Verdict.UNKNOWN, doubts=doubts)
    value = colour_difference(first.values["colours"], second.values["colours"])
    verdict = Verdict.MORE if value > COLOUR_MARGIN else Verdict.WITHIN
    return Change(Measure.COLOUR, verdict, value, max(0.0, value - COLOUR_MARGIN), min(1.0, value + COLOUR_MARGIN))


def _ratio(measure: Measure, value: float, margin: float, basis: Basis | None = None) -> Change:
    low, middle, high = (float(np.exp(each)) for each in (value - margin, value, value + margin))
    return Change(measure, _verdict(value, margin), middle, low, high, basis=basis)


def _verdict(value: float, margin: float) -> Verdict:
    if abs(value) <= margin:
        return Verdict.WITHIN
    return Verdict.MORE if value > 0 else Verdict.LESS
