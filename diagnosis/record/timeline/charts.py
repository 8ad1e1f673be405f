"""The charts of a lesion over time: their figures, which ``static/js/timeline.js`` draws and tables repeat."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, sqrt
from typing import Any

from django.utils.translation import gettext as _

from diagnosis.assessment.candidates import percent
from diagnosis.images.clinic_analysers import as_read_then
from diagnosis.images.models import Prediction, Tier
from diagnosis.record.timeline.change import in_words
from diagnosis.record.timeline.events import Event
from diagnosis.record.timeline.points import Moment, Series, series_among
from diagnosis.record.timeline.same_lesion_spread import COLOURS, least_area_change, range_of_another_photograph
from mlmodel.alignment.changes import ASYMMETRY_MARGIN, BORDER_MARGIN
from mlmodel.versions.serving import analyser_of, can_serve


@dataclass(frozen=True)
class ChartPoint:
    """One point of a line; ``value`` is None where there is a gap."""

    on: datetime.date
    value: float | None
    words: str
    interval: tuple[float, float] | None = None

    @property
    def label(self) -> str:
        return in_words(self.on)


@dataclass(frozen=True)
class Line:
    """Points that may be joined.

    Attributes:
        is_first: it is drawn at once; the others when they are asked for.
    """

    name: str
    points: Sequence[ChartPoint]
    is_first: bool = True


@dataclass(frozen=True)
class Limit:
    value: float
    words: str
    tone: str


@dataclass(frozen=True)
class TimeChart:
    """A chart for ``templates/record/includes/time_chart.html``."""

    slug: str
    title: str
    unit: str
    lines: Sequence[Line]
    suffix: str = ""
    top: float | None = None
    limits: Sequence[Limit] = ()
    events: Sequence[Event] = ()
    hint: str = ""
    empty: str = ""
    decimals: int = 0
    bottom: float = field(default=0)

    @property
    def is_empty(self) -> bool:
        return not any(point.value is not None for line in self.lines for point in line.points) and not self.events

    @property
    def figures(self) -> dict[str, Any]:
        """What the script reads: days as ISO dates, heights in the unit of the axis, words."""
        return {
            "unit": self.unit,
            "suffix": self.suffix,
            "top": self.top,
            "bottom": self.bottom,
            "limits": [{"value": each.value, "words": each.words, "tone": each.tone} for each in self.limits],
            "lines": [
                {
                    "name": line.name,
                    "isFirst": line.is_first,
                    "points": [
                        {
                            "on": point.on.isoformat(),
                            "value": point.value,
                            "interval": point.interval,
                            "label": point.label,
                            "words": point.words,
                        }
                        for point in line.points
                    ],
                }
                for line in self.lines
            ],
            "events": [
                {"on": event.on.isoformat(), "kind": event.kind, "label": in_words(event.on), "words": event.words}
                for event in self.events
            ],
        }


def probability_chart(moments: Sequence[Moment], events: Sequence[Event]) -> TimeChart:
    """Return the curve of the malignant probability, one line a version and class mix."""
    every = series_among(moments)
    limits, note = _limits(moments, every[0]) if every else ((), "")
    hint = _(
        "Each photograph has one answer of a version, without an interval of its own. The whiskers show where the "
        "answer to another photograph of the same lesion and day would lie, 9 times in 10, as measured on 251 pairs "
        "of photographs."
    )
    return TimeChart(
        slug="probability",
        title=_("Malignant probability"),
        unit=_("Malignant probability"),
        suffix=" %",
        top=100,
        lines=[_line(moments, series, is_first=series == every[0]) for series in every],
        limits=limits,
        events=events,
        hint=f"{hint} {note}".strip(),
        empty=_("No photograph of this lesion has an answer that can be relied on."),
    )


def measure_charts(moments: Sequence[Moment]) -> list[TimeChart]:
    """Return asymmetry, border, colours, diameter and area over time."""
    no_width = _("Not known: the width of no picture is stated. It is entered on a photograph’s page.")
    nothing = _("Not measured on any photograph.")
    points, percent_less = _("%(least)d points"), _("%(least)d\u00a0%%")
    asymmetry = points % {"least": round(100 * ASYMMETRY_MARGIN)}
    border = percent_less % {"least": round(100 * (exp(BORDER_MARGIN) - 1))}
    area = percent_less % {"least": round(100 * least_area_change())}
    diameter = percent_less % {"least": round(100 * (sqrt(1 + least_area_change()) - 1))}
    return [
        _measure_chart(
            "asymmetry", _("Asymmetry"), moments, suffix=" %", times=100, empty=nothing, hint=_not_shown(asymmetry)
        ),
        _measure_chart(
            "compactness",
            _("Border (a circle is 1)"),
            moments,
            decimals=2,
            bottom=1,
            empty=nothing,
            hint=_not_shown(border),
        ),
        _measure_chart(
            "colours",
            _("Colours of six"),
            moments,
            top=6,
            empty=nothing,
            hint=_("Photographs of one lesion differ by up to %(count)d.") % {"count": COLOURS},
        ),
        _measure_chart(
            "diameter_mm",
            _("Diameter, mm"),
            moments,
            suffix=" mm",
            decimals=1,
            empty=no_width,
            hint=_not_shown(diameter),
        ),
        _measure_chart(
            "area_mm2",
            _("Area, mm²"),
            moments,
            suffix=" mm²",
            decimals=1,
            empty=no_width,
            hint=_not_shown(area),
        ),
    ]


def _not_shown(least: str) -> str:
    return _("Photographs do not show an increase of less than %(least)s.") % {"least": least}


def _line(moments: Sequence[Moment], series: Series, *, is_first: bool) -> Line:
    points = []
    for moment in moments:
        answer = moment.answer_of(series)
        if answer is None:
            points.append(ChartPoint(moment.on, None, _("no answer")))
            continue
        low, high = range_of_another_photograph(answer.malignant)
        words = f"{percent(answer.malignant)}, {str(Tier(answer.tier).label).lower()}"
        points.append(ChartPoint(moment.on, _height(answer.malignant), words, (_height(low), _height(high))))
    name = series.version_name
    if series.mix:
        name = _("%(version)s, for the clinic’s own class mix") % {"version": name}
    return Line(name, points, is_first=is_first)


def _limits(moments: Sequence[Moment], series: Series) -> tuple[tuple[Limit, ...], str]:
    """Return the thresholds under which the newest answer of the series was given, or why there are none."""
    newest = next(answer for moment in reversed(moments) if (answer := moment.answer_of(series)))
    if series.mix:
        return (), _(
            "The thresholds are not drawn: they apply to the probabilities as released, not to those for the clinic’s "
            "own class mix."
        )
    prediction: Prediction = newest.prediction
    if not can_serve(prediction.model_version):
        return (), _("The thresholds of this version are not known here any more.")
    points = as_read_then(prediction, analyser_of(prediction.model_version)).operating_points
    return (
        Limit(_height(points.watch.threshold), _("Look at it"), "watch"),
        Limit(_height(points.urgent.threshold), _("Urgent"), "urgent"),
    ), _("Thresholds: “%(watch)s” from %(watch_from)s, “%(urgent)s” from %(urgent_from)s.") % {
        "watch": Tier.WATCH.label,
        "watch_from": f"{100 * points.watch.threshold:.1f}\u00a0%",
        "urgent": Tier.URGENT.label,
        "urgent_from": f"{100 * points.urgent.threshold:.1f}\u00a0%",
    }


def _measure_chart(
    name: str,
    title: str,
    moments: Sequence[Moment],
    *,
    empty: str,
    hint: str,
    suffix: str = "",
    times: float = 1,
    decimals: int = 0,
    top: float | None = None,
    bottom: float = 0,
) -> TimeChart:
    points = []
    for moment in moments:
        value = getattr(moment.measures, name)
        height = None if value is None else round(times * value, decimals + 1)
        words = _("not measured") if value is None else f"{times * value:.{decimals}f}{suffix.replace(' ', chr(160))}"
        if value is not None and moment.measures.is_cut and name == "diameter_mm":
            words = _("at least %(value)s") % {"value": words}
        points.append(ChartPoint(moment.on, height, words))
    return TimeChart(
        slug=name.replace("_", "-"),
        title=title,
        unit=title,
        lines=[Line(title, points)],
        suffix=suffix,
        top=top,
        hint=hint,
        empty=empty,
        decimals=decimals,
        bottom=bottom,
    )


def _height(share: float) -> float:
    return round(100 * share, 2)
