"""Measurements in words: the same on the result page and in the API.

The words compare a lesion with others without interpreting the difference: the network does not use the measurements.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from diagnosis.measures.scales import Scale
from mlmodel.segmentation.dermoscopic_colours import COLOURS, Colour, present
from mlmodel.segmentation.segmenter import OutlineProblem, get_segmenter


@dataclass(frozen=True)
class Row:
    """One letter of ABCD: its value, what that means in plain words, its definition and the source of that.

    ``colours`` is set for C only: name, code (the end of a CSS class name) and percentage of each colour present.
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
    """The content of ``templates/measures/includes/measures.html``.

    Attributes:
        doubt: why nothing was measured; empty if it was.
        note: says that the lesion is cut off by the edge; empty if it is not.
        points: the outline as an SVG polygon's points, in pixels of the photograph; empty if it is not shown.
    """

    rows: tuple[Row, ...]
    doubt: str
    note: str
    points: str
    view_box: str


def present_measures(values: Mapping[str, Any], *, width: int, height: int, scale: Scale | None) -> MeasuresView:
    """Return the values of a ``Measurement`` in words, for a photograph of ``width`` by ``height`` pixels."""
    doubt = doubt_in_words(values["doubt"])
    rows: tuple[Row, ...] = ()
    if not doubt:
        rows = (_asymmetry(values), _border(values), _colours(values), _diameter(values, width, height, scale))
    return MeasuresView(
        rows=rows,
        doubt=doubt,
        note=_("The lesion extends beyond the square that is measured.") if values["is_cut"] and not doubt else "",
        points="" if doubt else " ".join(f"{x},{y}" for x, y in outline_in_pixels(values, width=width, height=height)),
        view_box=f"0 0 {width} {height}",
    )


def outline_in_pixels(values: Mapping[str, Any], *, width: int, height: int) -> list[tuple[float, float]]:
    """Return the outline in pixels of the photograph, from fractions of its centre square."""
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return [(round(left + x * side, 1), round(top + y * side, 1)) for x, y in values["outline"] or ()]


def doubt_in_words(code: str | None) -> str:
    """Return why nothing was measured; empty if it was."""
    if code is None:
        return ""
    return {
        OutlineProblem.NO_REGION: _("No border of a lesion was found in the centre of the photograph."),
        OutlineProblem.TINY: _(
            "The area that was found is too small to be measured. Photograph the lesion from closer."
        ),
        OutlineProblem.WHOLE_FRAME: _("The lesion fills the whole picture, so its border cannot be seen."),
        OutlineProblem.SCATTERED: _("Several separate areas were found, and it is not clear which one is meant."),
        OutlineProblem.UNSURE: _("The border of the lesion is too indistinct to be drawn with confidence."),
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


def diameter_mm(values: Mapping[str, Any], *, width: int, height: int, scale: Scale | None) -> float | None:
    """Return the longest diameter in millimetres; None without the picture’s scale or a diameter."""
    if scale is None or values["diameter"] is None:
        return None
    return diameter_share(values, width=width, height=height) * float(scale.width_mm)


def diameter_share(values: Mapping[str, Any], *, width: int, height: int) -> float:
    """Return the longest diameter as a share of the photograph's width; it is stored as one of the centre square."""
    return float(values["diameter"] * min(width, height) / width)


def _asymmetry(values: Mapping[str, Any]) -> Row:
    asymmetry = values["asymmetry"]
    return Row(
        letter="A",
        name=_("Asymmetry"),
        value=_("not measured") if asymmetry is None else _whole_percent(asymmetry["shape"]),
        words=_cut_off()
        if asymmetry is None
        else _join(
            _("The share of the lesion that falls outside its mirror image."),
            _compared("asymmetry", asymmetry["shape"], _("More asymmetric than %(count)d of 100 lesions.")),
            _("Mirrored places differ in colour by ΔE %(difference).0f.") % {"difference": asymmetry["colour"]},
        ),
        definition=_(
            "The lesion is mirrored about two perpendicular axes through its centre of mass, chosen for the greatest "
            "symmetry. The value is the mean share that the mirror image does not cover: 0\u00a0% for a circle or an "
            "ellipse."
        ),
        source="Stoecker et al., Comput Med Imaging Graph 16:191 (1992); "
        "Nachbar et al., J Am Acad Dermatol 30:551 (1994)",
    )


def _border(values: Mapping[str, Any]) -> Row:
    border = values["border"]
    return Row(
        letter="B",
        name=_("Border"),
        value=_("not measured") if border is None else f"{border['compactness']:.2f}",
        words=_cut_off()
        if border is None
        else _join(
            _("A circle is 1. The longer or more irregular the border, the higher the value."),
            _compared("compactness", border["compactness"], _("Higher than in %(count)d of 100 lesions.")),
            _("It fills %(share)s of its convex hull.") % {"share": _whole_percent(border["solidity"])},
        ),
        definition=_(
            "The squared length of the outline divided by 4\u00a0π times the area. The second figure is the area "
            "divided by that of the convex hull: 100\u00a0% without indentations. Neither is the border score of the "
            "ABCD rule of dermatoscopy, which counts how many eighths of the border end abruptly."
        ),
        source="Golston et al., Comput Med Imaging Graph 16:199 (1992)",
    )


def _colours(values: Mapping[str, Any]) -> Row:
    shares = {colour: float(values["colours"][colour]) for colour in COLOURS}
    colours = present(shares)
    names = tuple((colour_name(colour), str(colour), _whole_percent(shares[colour])) for colour in colours)
    return Row(
        letter="C",
        name=_("Colours"),
        value=_("%(count)d of 6") % {"count": len(colours)},
        words=", ".join(f"{name} {share}" for name, _code, share in names)
        or _("None of the six: the lesion hardly differs from the skin around it."),
        definition=_(
            "The colours of the six in the ABCD rule of dermatoscopy that each cover 5\u00a0% of the lesion or more, "
            "without hairs, after colour correction by the surrounding skin. Areas that hardly differ from that skin "
            "count as no colour; white counts only if it is lighter than the skin."
        ),
        source="Nachbar et al. (1994); Kelly and Judd, NBS Special Publication 440 (1976)",
        colours=names,
    )


def _diameter(values: Mapping[str, Any], width: int, height: int, scale: Scale | None) -> Row:
    diameter = diameter_mm(values, width=width, height=height, scale=scale)
    share = _whole_percent(diameter_share(values, width=width, height=height))
    at_least = _("at least ") if values["is_cut"] else ""
    return Row(
        letter="D",
        name=_("Diameter"),
        value=at_least
        + (
            _("%(share)s of the picture’s width") % {"share": share} if diameter is None else f"{diameter:.1f}\u00a0mm"
        ),
        words=_scale_in_words(scale),
        definition=_("The longest straight line from border to border."),
        source="Friedman et al., CA Cancer J Clin 35:130 (1985)",
    )


def _scale_in_words(scale: Scale | None) -> str:
    if scale is None:
        return _("Enter the width of the picture to get the diameter in millimetres.")
    if scale.device:
        return _("Based on the calibration of %(device)s: the whole picture is %(width)s mm wide.") % {
            "device": scale.device,
            "width": f"{scale.width_mm:g}",
        }
    return _("Based on the stated width of the whole picture: %(width)s mm.") % {"width": scale.width_mm}


def _cut_off() -> str:
    return _("Only part of the lesion is in the picture.")


def _compared(measure: str, value: float, sentence: str) -> str:
    """Return a comparison with the lesions of the calibration fold; empty if the segmenter has no percentiles."""
    percentiles = get_segmenter().reference.get(measure, ())
    if not percentiles:
        return ""
    return sentence % {"count": min(max(sum(value > each for each in percentiles), 1), 99)}


def _whole_percent(share: float) -> str:
    return f"{round(share * 100)}\u00a0%"


def _join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
