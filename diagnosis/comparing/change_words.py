"""Changes in words. They never say that nothing changed: only what these two photographs could have shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from diagnosis.comparing.services import Comparison
from diagnosis.measures.measure_words import colour_name
from mlmodel.alignment.aligning import AlignmentRefusal
from mlmodel.alignment.changes import Basis, Change, Doubt, Measure, Verdict
from mlmodel.segmentation.dermoscopic_colours import COLOURS, present


@dataclass(frozen=True)
class ChangeRow:
    """One measure: what can be told of its change, in words, and the figures of both photographs.

    ``tone`` is “watch” for a change that is larger than chance, “” otherwise.
    """

    code: str
    name: str
    words: str
    figures: str
    tone: str
    is_known: bool


def change_rows(comparison: Comparison) -> list[ChangeRow]:
    """Return the four measures in words."""
    return [
        ChangeRow(
            code=str(change.measure),
            name=_measure_name(change.measure),
            words=_words(change),
            figures=_figures(comparison, change),
            tone="watch" if change.verdict in (Verdict.MORE, Verdict.LESS) else "",
            is_known=change.verdict is not Verdict.UNKNOWN,
        )
        for change in comparison.changes
    ]


def alignment_words(comparison: Comparison) -> str:
    """Return how sure the alignment is, or why there is none."""
    alignment = comparison.alignment
    if alignment is None:
        return _("A file could not be read, so the photographs were not aligned.")
    if alignment.refusal is AlignmentRefusal.UNSURE:
        return _(
            "Some places look the same in both (%(agreeing)d of %(matched)d), but too few for an alignment that could "
            "be relied on."
        ) % {"agreeing": alignment.agreeing, "matched": alignment.matched}
    if alignment.refusal is AlignmentRefusal.NOTHING_SHARED:
        return _("Too few places were recognised in both, so any alignment would be a guess.")
    counted = _("%(agreeing)d of %(matched)d places recognised in both agree, within %(residual)s.") % {
        "agreeing": alignment.agreeing,
        "matched": alignment.matched,
        "residual": _residual(alignment.residual, comparison.diameter),
    }
    if alignment.is_by_skin:
        return _("%(counted)s They are on the skin around the lesion, so growth can show.") % {"counted": counted}
    return _("%(counted)s The alignment follows the lesion itself, so growth may not show.") % {"counted": counted}


def _residual(residual: float, diameter: float | None) -> str:
    """Return a distance in sides of the square as a share of the lesion's diameter, if that is known."""
    share = max(100 * residual / (diameter or 1.0), 0.1)
    if diameter is None:
        return _("%(share).1f\u00a0%% of the picture’s short side") % {"share": share}
    return _("%(share).1f\u00a0%% of the lesion’s diameter") % {"share": share}


def doubt_words(doubt: Doubt) -> str:
    """Return a reason why a change cannot be told."""
    return {
        Doubt.NOT_MEASURED: _("the lesion was not measured in both"),
        Doubt.NO_OUTLINE: _("the lesion’s border could not be drawn with confidence in both"),
        Doubt.CUT_OFF: _("the lesion extends beyond the measured square"),
        Doubt.SMALL: _("the lesion is too small in a picture; photograph it from closer"),
        Doubt.MAGNIFICATION: _("the lesion is more than twice as large in one picture as in the other"),
        Doubt.NOT_ALIGNED: _("they could not be aligned, and the widths of both pictures are not stated"),
        Doubt.NO_SCALE: _(
            "the skin around the lesion shows too little to compare sizes by; state the widths of both pictures"
        ),
        Doubt.WIDTHS_DISAGREE: _("the stated widths contradict the skin around the lesion; check them"),
        Doubt.DIFFERENT_KINDS: _("one was taken with a dermatoscope and one without"),
        Doubt.NOT_ACCEPTED: _("one did not pass the quality check"),
    }[doubt]


def _measure_name(measure: Measure) -> str:
    return {
        Measure.AREA: _("Area"),
        Measure.COLOUR: _("Colours"),
        Measure.ASYMMETRY: _("Asymmetry"),
        Measure.BORDER: _("Border"),
    }[measure]


def _words(change: Change) -> str:
    if change.verdict is Verdict.UNKNOWN:
        reasons = "; ".join(doubt_words(doubt) for doubt in change.doubts)
        return _("Cannot be told from these two photographs: %(reasons)s.") % {"reasons": reasons}
    if change.measure is Measure.AREA:
        return f"{_area(change)} {_basis(change)}"
    if change.verdict is Verdict.WITHIN:
        return _("Differs no more than two photographs of one lesion usually do; a small change would not show.")
    return {
        (Measure.COLOUR, Verdict.MORE): _(
            "Differ more than in two photographs of one lesion taken in different light."
        ),
        (Measure.ASYMMETRY, Verdict.MORE): _("More asymmetric, by more than two photographs usually differ."),
        (Measure.ASYMMETRY, Verdict.LESS): _("Less asymmetric, by more than two photographs usually differ."),
        (Measure.BORDER, Verdict.MORE): _("More irregular or longer, by more than two photographs usually differ."),
        (Measure.BORDER, Verdict.LESS): _("Less irregular, by more than two photographs usually differ."),
    }[change.measure, change.verdict]


def _area(change: Change) -> str:
    assert change.value is not None
    assert change.low is not None
    assert change.high is not None
    if change.verdict is Verdict.WITHIN:
        return _("A change cannot be told from chance: anything from %(low)s to %(high)s is possible.") % {
            "low": _by(change.low),
            "high": _by(change.high),
        }
    name = _("Larger") if change.verdict is Verdict.MORE else _("Smaller")
    return _("%(larger)s: by %(value)d\u00a0%% (from %(low)s to %(high)s).") % {
        "larger": name,
        "value": abs(round(100 * (change.value - 1))),
        "low": _by(change.low),
        "high": _by(change.high),
    }


def _by(ratio: float) -> str:
    share = round(100 * (ratio - 1))
    if share < 0:
        return _("%(share)d\u00a0%% smaller") % {"share": -share}
    return _("%(share)d\u00a0%% larger") % {"share": share}


def _basis(change: Change) -> str:
    if change.basis is Basis.WIDTHS:
        return _("By the stated widths of both pictures.")
    return _(
        "Relative to the skin around it in both photographs, as aligned: no widths are stated, so this is not in "
        "millimetres, and stretched skin would hide growth."
    )


def _figures(comparison: Comparison, change: Change) -> str:
    own, other = comparison.first.measures, comparison.second.measures
    if own is None or other is None or any(each.values["doubt"] is not None for each in (own, other)):
        return ""
    values = (own.values, other.values)
    match change.measure:
        case Measure.COLOUR:
            return " → ".join(_colours(each["colours"]) for each in values)
        case Measure.ASYMMETRY if all(each["asymmetry"] for each in values):
            return " → ".join(f"{round(100 * each['asymmetry']['shape'])}\u00a0%" for each in values)
        case Measure.BORDER if all(each["border"] for each in values):
            return " → ".join(f"{each['border']['compactness']:.2f}" for each in values)
        case Measure.AREA if change.basis is Basis.WIDTHS and own.scale and other.scale:
            areas = (_square_mm(comparison.first.image, own), _square_mm(comparison.second.image, other))
            return " → ".join(f"{area:.1f}\u00a0mm²" for area in areas)
    return ""


def _square_mm(image: Any, measures: Any) -> float:
    side = float(measures.scale.width_mm) * min(image.width, image.height) / image.width
    return float(measures.values["area"]) * side**2


def _colours(shares: Mapping[str, Any]) -> str:
    named = present({colour: float(shares[colour]) for colour in COLOURS})
    return ", ".join(f"{colour_name(colour)} {round(100 * shares[colour])}\u00a0%" for colour in named) or _("none")
