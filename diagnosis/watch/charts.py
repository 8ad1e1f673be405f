"""Bars for the watch's pages, worked out here and drawn by a template as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600, 120
# A few weeks are not to look like walls.
WIDEST_BAR = 48


@dataclass(frozen=True)
class Bar:
    """One bar, and the row of the table behind it."""

    label: str
    words: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Chart:
    """``slug`` names it in the page; ``largest`` is what the highest bar stands for."""

    slug: str
    title: str
    largest: str
    bars: list[Bar]


def bars(*, slug: str, title: str, rows: Sequence[tuple[str, float, str]], top: float | None = None) -> Chart:
    """Return a chart of rows of label, value and the value in words."""
    highest = top or max((value for _label, value, _words in rows), default=0.0)
    step = WIDTH / max(len(rows), 1)
    drawn = []
    for index, (label, value, words) in enumerate(rows):
        height = round(HEIGHT * value / highest, 1) if highest else 0.0
        drawn.append(
            Bar(
                label,
                words,
                round(index * step, 1),
                round(HEIGHT - height, 1),
                round(min(step * 0.8, WIDEST_BAR), 1),
                height,
            )
        )
    largest = max(rows, key=lambda row: row[1])[2] if rows else ""
    return Chart(slug=slug, title=title, largest=largest, bars=drawn)
