"""The charts of the report: Matplotlib draws them as SVG, which becomes part of the page and takes its colours."""

import io
import math
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# The theme colours of report.css, drawn as these stand-ins and replaced by the page's variables.
_ACCENT, _WATCH, _URGENT, _SOFT, _LINE, _SURFACE = "#0b6b6b", "#8a4b00", "#a8201a", "#4d5d68", "#dde3e4", "#fcfdfe"
_VARIABLES = {
    _ACCENT: "accent", _WATCH: "watch", _URGENT: "urgent", _SOFT: "soft", _LINE: "line", _SURFACE: "surface",
}  # fmt: skip
_TIERS = {"urgent": _URGENT, "watch": _WATCH}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "font.size": 10, "axes.labelsize": 11,
    "text.color": _SOFT, "axes.labelcolor": _SOFT, "xtick.color": _SOFT, "ytick.color": _SOFT,
    "xtick.major.size": 0, "ytick.major.size": 0, "xtick.major.pad": 6,
    "axes.spines.left": False, "axes.spines.right": False, "axes.spines.top": False, "axes.edgecolor": _LINE,
    "axes.grid": True, "axes.grid.axis": "y", "grid.color": _LINE, "axes.axisbelow": True,
}  # fmt: skip
_NOT_NEEDED = re.compile(
    r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->"
    r'|(?<=<g) id="[^"]*"|<defs>\s*</defs>|<g id="[^"]*"/>| transform="rotate\(-0 [^"]*"|\n\s*',
    re.DOTALL,
)
_MAIN: dict[str, Any] = {"color": _ACCENT, "linewidth": 2, "clip_on": False}
_EDGE: dict[str, Any] = {"markeredgecolor": _SURFACE, "clip_on": False}
_CHANCE: dict[str, Any] = {"color": _SOFT, "linewidth": 1, "linestyle": "--", "clip_on": False}
_QUARTERS = (0, 0.25, 0.5, 0.75, 1)
Facts = Mapping[str, Any]


def roc_chart(curve: Facts, label: str, *, figures: Facts | None = None) -> str:
    """Return an ROC curve. With the ``figures`` of a subset it is larger and shows the operating points."""
    figure, axes = _unit_square("1 − specificity", "sensitivity", side=340 if figures else 240)
    axes.plot([0, 1], [0, 1], **_CHANCE)
    axes.plot(*zip(*curve["roc"], strict=True), **_MAIN)
    for tier, colour in _TIERS.items():
        found, cost = ((figures or {}).get(f"tier.{tier}.{name}") for name in ("sensitivity", "specificity"))
        if found and cost:
            axes.plot(1 - cost["value"], found["value"], "o", color=colour, markersize=10, **_EDGE)
    return _svg(figure, label)


def precision_recall_chart(curve: Facts, label: str) -> str:
    """Return a precision–recall curve with the line for guessing."""
    figure, axes = _unit_square("recall", "precision", side=240)
    axes.axhline(curve["positives"] / (curve["positives"] + curve["negatives"]), **_CHANCE)
    axes.plot(*zip(*curve["precision_recall"], strict=True), **_MAIN)
    return _svg(figure, label)


def reliability_chart(bins: Sequence[Facts], label: str) -> str:
    """Return the accuracy by confidence, with the number of photographs in each bin below."""
    column = {name: [each[name] for each in bins] for name in bins[0]}
    figure, axes, below = _figure(420, 340, rows=(5, 1))
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=_QUARTERS, yticks=_QUARTERS, ylabel="accuracy")
    axes.tick_params(labelbottom=False)
    axes.plot([0, 1], [0, 1], **_CHANCE)
    axes.vlines(column["confidence"], column["low"], column["high"], color=_ACCENT, alpha=0.5)
    axes.plot(column["confidence"], column["accuracy"], "o-", **_MAIN | _EDGE, markersize=7)
    widths = [each["to"] - each["from"] for each in bins]
    below.bar(column["from"], column["count"], widths, align="edge", color=_ACCENT, alpha=0.4, edgecolor=_SURFACE)
    below.set(xlabel="confidence", ylabel="number", ylim=(0, None))
    below.locator_params(axis="y", nbins=2)
    return _svg(figure, label)


def epochs_chart(epochs: Sequence[Facts], columns: Sequence[str], label: str) -> str:
    """Return up to three metrics by epoch; what the training run did not record is left out."""
    looks = dict(zip(columns, ((_ACCENT, "-"), (_WATCH, "-"), (_SOFT, "--")), strict=False))
    recorded = [name for name in columns if any(epoch.get(name) is not None for epoch in epochs)]
    if not recorded:
        return ""
    figure, axes = _figure(420, 260)
    for name in recorded:
        colour, line = looks[name]
        values = [math.nan if epoch.get(name) is None else epoch[name] for epoch in epochs]
        axes.plot(range(1, len(epochs) + 1), values, line, **_MAIN | {"color": colour}, marker="o", markersize=4)
    axes.set(xlabel="epoch", ylim=(0, max(1, axes.get_ylim()[1])))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return _svg(figure, label)


def _unit_square(x_title: str, y_title: str, *, side: float) -> tuple[Figure, Axes]:
    figure, axes = _figure(side, side)
    ticks = _QUARTERS if side > 300 else (0, 0.5, 1)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=ticks, yticks=ticks, xlabel=x_title, ylabel=y_title)
    return figure, axes


def _figure(width: float, height: float, rows: Sequence[float] = (1,)) -> tuple[Any, ...]:
    """Return a figure of a size in units of the SVG, and its axes from top to bottom."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width / 72, height / 72))
        figure.subplots(len(rows), sharex=True, height_ratios=rows)
    figure.subplots_adjust(left=50 / width, right=1 - 12 / width, bottom=38 / height, top=1 - 8 / height)
    return figure, *figure.axes


def _svg(figure: Figure, label: str) -> str:
    """Return a figure as an SVG element without styles of its own: the site's content security policy forbids them.

    The label is the text alternative. It also makes the element's identifiers differ from those of other charts.
    """
    file = io.StringIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": label}):
        figure.savefig(file, format="svg", transparent=True)
    drawn = _NOT_NEEDED.sub("", file.getvalue())
    drawn = re.sub(r'style="([^"]*)"', lambda found: _attributes(found[1]), drawn)
    # Coordinates are rounded, and the numbers on the axes are not.
    drawn = re.sub("<[^>]*>", lambda found: _rounded(found[0].replace(" L ", "L")), drawn)
    for colour, name in _VARIABLES.items():
        drawn = drawn.replace(colour, f"var(--{name})")
    opening, content = drawn[drawn.index("<svg") :].split(">", 1)
    box = re.findall(r'viewBox="[^"]*"', opening)[0]
    return f'<svg class="chart" {box} role="img" aria-label="{escape(label)}">{content.strip()}'


def _attributes(style: str) -> str:
    """Return CSS declarations as presentation attributes, without the font, which is the page's."""
    declarations = (each.strip().split(": ", 1) for each in style.split(";") if each.strip())
    return " ".join(f'{name}="{value}"' for name, value in declarations if name != "font-family")


def _rounded(text: str) -> str:
    return re.sub(r"\d+\.\d\d+", lambda found: f"{float(found[0]):.1f}", text)
