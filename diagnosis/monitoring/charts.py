"""Bars for the watch's pages, worked out here and drawn by a template as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600, 120
# A few weeks are not to look like walls.
WIDEST_BAR = 48
FEW = 6


@dataclass(frozen=True)
class Row:
    """One figure: what the bar stands for, its words, and what is drawn over it.

    Attributes:
        interval: the two ends of a line upon the bar.
        mark: a stroke across the bar.
    """

    label: str
    value: float
    words: str
    interval: tuple[float, float] | None = None
    mark: float | None = None


@dataclass(frozen=True)
class Bar:
    """One bar in the drawing's units, and the row of the table behind it."""

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
    """What ``templates/monitoring/includes/chart.html`` draws.

    Attributes:
        slug: names it in the page.
        hint: what bars, lines and strokes stand for.
        empty: what will be here, said while there is nothing.
        largest: what the highest bar stands for; empty where all bars are nothing.
        limit_y: where the line of the limit is.
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
        """Whether the table is open from the beginning: the few bars of such a chart are no days in a row."""
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
    """Return a chart of the rows, none of whose figures is negative.

    Args:
        top: what the full height stands for; the highest figure where it is not given.
        limit: drawn as a line across.
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
