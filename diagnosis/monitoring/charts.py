"""Bar charts of the performance pages, which a template draws as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600, 120
# Limits the width of the bars when there are few.
WIDEST_BAR = 48
FEW = 6


@dataclass(frozen=True)
class Row:
    """One figure of a chart: label, value and text.

    Attributes:
        interval: the ends of a vertical line over the bar.
        mark: the value of a horizontal mark across the bar.
    """

    label: str
    value: float
    words: str
    interval: tuple[float, float] | None = None
    mark: float | None = None


@dataclass(frozen=True)
class Bar:
    """One bar in SVG units, with its row of the table."""

    label: str
    words: str
    x: float
    y: float
    width: float
    height: float
    middle: float
    low_y: float | None = None
    high_y: float | None = None
    mark_y: float | None = None

    @property
    def end(self) -> float:
        return round(self.x + self.width, 1)


@dataclass(frozen=True)
class Chart:
    """A chart for ``templates/monitoring/includes/chart.html``.

    Attributes:
        slug: its id in the page.
        hint: what bars, lines and marks mean.
        empty: the text shown while there are no figures.
        largest: the text of the highest bar; empty if all bars are zero.
        limit_y: the position of the limit's line.
    """

    slug: str
    title: str
    hint: str
    empty: str
    largest: str
    bars: list[Bar]
    limit_y: float | None = None

    @property
    def shows_table(self) -> bool:
        """Whether the table is open initially: with few bars, they are labelled one by one."""
        return len(self.bars) <= FEW


def bars(
    *,
    slug: str,
    title: str,
    rows: Sequence[Row],
    hint: str = "",
    empty: str = "",
    top: float | None = None,
    limit: float | None = None,
) -> Chart:
    """Return the chart of the rows; no figure may be negative.

    Args:
        top: the value of the full height; by default the highest figure.
        limit: the value of a line across the chart.
    """
    is_nothing = not any(row.value or row.interval for row in rows)
    highest = top or max((_highest(row) for row in rows), default=0.0)
    highest = max(highest, limit or 0.0)

    def y(value: float) -> float:
        return round(HEIGHT - HEIGHT * min(value / highest, 1.0), 1) if highest else float(HEIGHT)

    step = WIDTH / max(len(rows), 1)
    width = round(min(step * 0.8, WIDEST_BAR), 1)
    drawn = []
    for index, row in enumerate(rows):
        x = round(index * step, 1)
        low, high = row.interval or (None, None)
        drawn.append(
            Bar(
                label=row.label,
                words=row.words,
                x=x,
                y=y(row.value),
                width=width,
                height=round(HEIGHT - y(row.value), 1),
                middle=round(x + width / 2, 1),
                low_y=None if low is None else y(low),
                high_y=None if high is None else y(high),
                mark_y=None if row.mark is None else y(row.mark),
            )
        )
    return Chart(
        slug=slug,
        title=title,
        hint=hint,
        empty=empty,
        largest="" if is_nothing else max(rows, key=lambda row: row.value).words,
        bars=[] if is_nothing else drawn,
        limit_y=None if limit is None else y(limit),
    )


def _highest(row: Row) -> float:
    return max(row.value, row.mark or 0.0, row.interval[1] if row.interval else 0.0)
