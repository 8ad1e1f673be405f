"""How measures are said: the same words on the result page and to programs.

The words compare a lesion with others and say nothing of what that means: the measures are shown beside the
probabilities and are no part of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from mlmodel.segmentation.dermoscopic_colours import COLOURS, Colour, present
from mlmodel.segmentation.segmenter import OutlineProblem, get_segmenter


@dataclass(frozen=True)
class Row:
    """One letter: its value, what that means in plain words, how it is defined, and who defined it.

    ``colours`` is filled for C only: name, code (the end of a class name) and percentage of each colour present.
    """

    letter: str
    name: str
    value: str
    words: str
    definition: str
    source: str
    colours: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class MeasuresView:
    """What ``templates/measures/includes/measures.html`` shows.

    Attributes:
        doubt: why nothing was measured; empty if it was.
        note: that the lesion is cut by the edge; empty if it is not.
        points: the outline as an SVG polygon's points, in pixels of the photograph; empty if it is not to be shown.
    """

    rows: tuple[Row, ...]
    doubt: str
    note: str
    points: str
    view_box: str


def present_measures(values: Mapping[str, Any], *, width: int, height: int, width_mm: Decimal | None) -> MeasuresView:
    """Put the values of a ``Measurement`` into words, for a photograph of so many pixels."""
    doubt = doubt_in_words(values["doubt"])
    rows: tuple[Row, ...] = ()
    if not doubt:
        rows = (_asymmetry(values), _border(values), _colours(values), _diameter(values, width, height, width_mm))
    return MeasuresView(
        rows=rows,
        doubt=doubt,
        note=_("The lesion goes on beyond the square that is measured.") if values["is_cut"] and not doubt else "",
        points="" if doubt else " ".join(f"{x},{y}" for x, y in outline_in_pixels(values, width=width, height=height)),
        view_box=f"0 0 {width} {height}",
    )


def outline_in_pixels(values: Mapping[str, Any], *, width: int, height: int) -> list[tuple[float, float]]:
    """Return the outline in pixels of the photograph: the centre square's fractions, moved to where it lies."""
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return [(round(left + x * side, 1), round(top + y * side, 1)) for x, y in values["outline"] or ()]


def doubt_in_words(code: str | None) -> str:
    """Say why there are no measures; empty if there are."""
    if code is None:
        return ""
    return {
        OutlineProblem.NO_REGION: _("No border of a lesion was found in the centre of the photograph."),
        OutlineProblem.TINY: _("What was found is too small to be measured. Photograph the lesion from nearer."),
        OutlineProblem.WHOLE_FRAME: _("The lesion fills the whole picture, so that its border cannot be seen."),
        OutlineProblem.SCATTERED: _("Several separate areas were found, and it is not clear which one is meant."),
        OutlineProblem.UNSURE: _("The border of the lesion is too vague to be drawn with confidence."),
    }[OutlineProblem(code)]


def colour_name(colour: Colour) -> str:
    return {
        Colour.WHITE: _("white"),
        Colour.RED: _("red"),
        Colour.LIGHT_BROWN: _("light brown"),
        Colour.DARK_BROWN: _("dark brown"),
        Colour.BLUE_GREY: _("blue-grey"),
        Colour.BLACK: _("black"),
    }[colour]


def diameter_mm(values: Mapping[str, Any], *, width: int, height: int, width_mm: Decimal | None) -> float | None:
    """Return the longest diameter in millimetres, if the picture’s width is known and there is a diameter."""
    if width_mm is None or values["diameter"] is None:
        return None
    return diameter_share(values, width=width, height=height) * float(width_mm)


def diameter_share(values: Mapping[str, Any], *, width: int, height: int) -> float:
    """Return the longest diameter, which is kept as a share of the centre square, as one of the photograph's width."""
    return float(values["diameter"] * min(width, height) / width)


def _asymmetry(values: Mapping[str, Any]) -> Row:
    found = values["asymmetry"]
    return Row(
        letter="A",
        name=_("Asymmetry"),
        value=_("not measured") if found is None else _whole_percent(found["shape"]),
        words=_not_whole()
        if found is None
        else _join(
            _("So much of it falls outside its own mirror image."),
            _compared("asymmetry", found["shape"], _("More asymmetric than %(count)d of 100 lesions.")),
            _("Mirrored places differ in colour by ΔE %(difference).0f.") % {"difference": found["colour"]},
        ),
        definition=_(
            "The lesion is mirrored about the two axes at right angles, through its centre of mass, about which it is "
            "most symmetric. The value is the mean share that its mirror image does not cover: 0\u00a0% for a circle "
            "or an ellipse."
        ),
        source="Stoecker et al., Comput Med Imaging Graph 16:191 (1992); "
        "Nachbar et al., J Am Acad Dermatol 30:551 (1994)",
    )


def _border(values: Mapping[str, Any]) -> Row:
    found = values["border"]
    return Row(
        letter="B",
        name=_("Border"),
        value=_("not measured") if found is None else f"{found['compactness']:.2f}",
        words=_not_whole()
        if found is None
        else _join(
            _("1 is a circle; the longer or the more ragged, the higher."),
            _compared("compactness", found["compactness"], _("Higher than in %(count)d of 100 lesions.")),
            _("It fills %(share)s of its convex hull.") % {"share": _whole_percent(found["solidity"])},
        ),
        definition=_(
            "The square of the outline's length, by 4\u00a0π times the area. The second figure is the area by that of "
            "the convex hull: 100\u00a0% without indentations. Neither is the border score of the ABCD rule of "
            "dermatoscopy, which counts how many eighths of the border end abruptly."
        ),
        source="Golston et al., Comput Med Imaging Graph 16:199 (1992)",
    )


def _colours(values: Mapping[str, Any]) -> Row:
    shares = {colour: float(values["colours"][colour]) for colour in COLOURS}
    found = present(shares)
    names = tuple((colour_name(colour), str(colour), _whole_percent(shares[colour])) for colour in found)
    return Row(
        letter="C",
        name=_("Colours"),
        value=_("%(count)d of 6") % {"count": len(found)},
        words=", ".join(f"{name} {share}" for name, _code, share in names)
        or _("None of the six: it hardly differs from the skin around it."),
        definition=_(
            "The six colours of the ABCD rule of dermatoscopy that each take up 5\u00a0% of the lesion or more, hairs "
            "left out, after the skin around it was brought to the tint of skin. What hardly differs from that skin "
            "is none of them; white counts only where it is lighter than the skin."
        ),
        source="Nachbar et al. (1994); Kelly and Judd, NBS Special Publication 440 (1976)",
        colours=names,
    )


def _diameter(values: Mapping[str, Any], width: int, height: int, width_mm: Decimal | None) -> Row:
    found = diameter_mm(values, width=width, height=height, width_mm=width_mm)
    share = _whole_percent(diameter_share(values, width=width, height=height))
    at_least = _("at least ") if values["is_cut"] else ""
    return Row(
        letter="D",
        name=_("Diameter"),
        value=at_least
        + (_("%(share)s of the picture’s width") % {"share": share} if found is None else f"{found:.1f}\u00a0mm"),
        words=_("How wide the picture is was not stated, so that there are no millimetres.")
        if found is None
        else _("If the whole picture is %(width)s mm wide, as was stated.") % {"width": width_mm},
        definition=_("The longest straight line from border to border."),
        source="Friedman et al., CA Cancer J Clin 35:130 (1985)",
    )


def _not_whole() -> str:
    return _("Only a part of the lesion is in the picture.")


def _compared(measure: str, value: float, sentence: str) -> str:
    """Compare with the lesions of the calibration fold, if the segmenter comes with their percentiles."""
    percentiles = get_segmenter().reference.get(measure, ())
    if not percentiles:
        return ""
    return sentence % {"count": min(max(sum(value > each for each in percentiles), 1), 99)}


def _whole_percent(share: float) -> str:
    return f"{round(share * 100)}\u00a0%"


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
