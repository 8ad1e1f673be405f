"""Bar charts of the performance pages: their figures, which ``static/js/charts.js`` draws and a table repeats."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One bar, and one row of the table.

    Attributes:
        label: what the figure is of, in the tooltip and in the table.
        value: the bar's height; None where nothing was measured.
        words: the figure in full, in the tooltip and in the table.
        tick: the label under the bar, if shorter than ``label``.
        interval: the ends of a whisker on the bar.
        mark: the height of a line across the bar.
        is_reference: whether it is only there to compare other bars with.
    """

    label: str
    value: float | None
    words: str
    tick: str = ""
    interval: tuple[float, float] | None = None
    mark: float | None = None
    is_reference: bool = False


@dataclass(frozen=True)
class Limit:
    """A line across the chart, with the words beside it."""

    value: float
    words: str


@dataclass(frozen=True)
class Chart:
    """A chart for ``templates/monitoring/includes/chart.html``; no figure may be negative.

    Attributes:
        slug: its id in the page.
        along: what the bars stand for: the heading of the table's first column.
        unit: what is measured: the heading of the vertical axis and of the table's second column.
        hint: what whiskers, marks and limits mean.
        empty: the text shown while there are no figures.
        is_share: whether values are shares, which are shown as percentages.
        top: the value at the top of the axis; by default a round number above every figure.
    """

    slug: str
    title: str
    rows: Sequence[Row]
    along: str
    unit: str
    hint: str = ""
    empty: str = ""
    is_share: bool = False
    top: float | None = None
    limit: Limit | None = None

    @property
    def is_empty(self) -> bool:
        return not any(row.value or row.interval for row in self.rows)

    @property
    def figures(self) -> dict[str, Any]:
        """What the script reads: heights in the unit of the axis, and words."""
        return {
            "unit": self.unit,
            "suffix": " %" if self.is_share else "",
            "top": self._height(self.top),
            "limit": self.limit and {"value": self._height(self.limit.value), "words": self.limit.words},
            "rows": [
                {
                    "label": row.label,
                    "tick": row.tick or row.label,
                    "words": row.words,
                    "value": self._height(row.value),
                    "interval": row.interval and [self._height(end) for end in row.interval],
                    "mark": self._height(row.mark),
                    "isReference": row.is_reference,
                }
                for row in self.rows
            ],
        }

    def _height(self, value: float | None) -> float | None:
        return None if value is None else round(100 * value if self.is_share else value, 4)
