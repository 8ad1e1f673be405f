"""SVG charts without scripts or style attributes; CSS classes give them the colours of the page's theme."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mlmodel.evaluation.markup import Html, join, tag

Points = Sequence[Sequence[float]]
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 8.0, 8.0, 34.0


@dataclass(frozen=True)
class Frame:
    """The axes of a chart. Ranges are in data coordinates, sizes in drawing units."""

    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]
    x_ticks: Sequence[float]
    y_ticks: Sequence[float]
    x_title: str
    y_title: str
    digits: int = 1
    bottom: float = field(default=_BOTTOM)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the drawing coordinates of a data point."""
        share_x = (x - self.x[0]) / (self.x[1] - self.x[0])
        share_y = (y - self.y[0]) / (self.y[1] - self.y[0])
        inner = self.height - _TOP - self.bottom
        return _LEFT + share_x * (self.width - _LEFT - _RIGHT), _TOP + (1 - share_y) * inner

    def axes(self) -> Html:
        """Return the grid, tick labels and titles."""
        parts: list[Html] = []
        for value in self.y_ticks:
            x, y = self.at(self.x[0], value)
            parts.append(tag("line", class_="grid", x1=x, x2=self.width - _RIGHT, y1=y, y2=y))
            parts.append(tag("text", f"{value:.{self.digits}f}", class_="tick end", x=x - 5, y=y + 3.5))
        for value in self.x_ticks:
            x, y = self.at(value, self.y[0])
            parts.append(tag("text", f"{value:g}", class_="tick middle", x=x, y=y + 13))
        middle_x = (_LEFT + self.width - _RIGHT) / 2
        middle_y = (_TOP + self.height - self.bottom) / 2
        parts.append(tag("text", self.x_title, class_="axis middle", x=middle_x, y=self.height - 4))
        parts.append(
            tag("text", self.y_title, class_="axis middle", transform=f"translate(10 {middle_y:.1f}) rotate(-90)")
        )
        return join(*parts)

    def line(self, points: Points, class_: str) -> Html:
        """Return a line through data points."""
        coordinates = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self.at(*point) for point in points))
        return tag("polyline", class_=f"line {class_}", points=coordinates)

    def dot(self, point: tuple[float, float], class_: str, radius: float = 3.5) -> Html:
        """Return a dot at a data point."""
        x, y = self.at(*point)
        return tag("circle", class_=f"dot {class_}", cx=x, cy=y, r=radius)


def drawing(label: str, width: float, height: float, *children: Html, class_: str = "chart") -> Html:
    """Return an SVG picture with a text alternative."""
    return tag(
        "svg",
        *children,
        class_=class_,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=label,
        xmlns="http://www.w3.org/2000/svg",
    )


def unit_square(label: str, x_title: str, y_title: str, *, side: float = 240) -> Frame:
    """Return a frame from 0 to 1 in both directions."""
    ticks = (0, 0.25, 0.5, 0.75, 1) if side > 300 else (0, 0.5, 1)
    return Frame(side, side, (0, 1), (0, 1), ticks, ticks, x_title, y_title, digits=2 if side > 300 else 1)


def roc_chart(curve: dict[str, Any], label: str, *, marks: Sequence[tuple[float, float, str]] = ()) -> Html:
    """Return an ROC curve; ``marks`` are (false positive rate, true positive rate, class)."""
    frame = unit_square(label, "1 − specificity", "sensitivity", side=340 if marks else 240)
    return drawing(
        f"{label}: area under the ROC curve {curve['auc']:.3f}",
        frame.width,
        frame.height,
        frame.axes(),
        frame.line([(0, 0), (1, 1)], "chance"),
        frame.line(curve["roc"], "main"),
        *(frame.dot((x, y), class_, 5) for x, y, class_ in marks),
    )


def precision_recall_chart(curve: dict[str, Any], label: str) -> Html:
    """Return a precision–recall curve with the line for guessing."""
    frame = unit_square(label, "recall", "precision")
    share = curve["positives"] / (curve["positives"] + curve["negatives"])
    return drawing(
        f"{label}: average precision {curve['average_precision']:.3f}",
        frame.width,
        frame.height,
        frame.axes(),
        frame.line([(0, share), (1, share)], "chance"),
        frame.line(curve["precision_recall"], "main"),
    )


def reliability_chart(bins: Sequence[dict[str, float]]) -> Html:
    """Return the accuracy by confidence, with the number of photographs in each bin below."""
    frame = Frame(
        420, 340, (0, 1), (0, 1), (), (0, 0.25, 0.5, 0.75, 1), "", "accuracy", digits=2, bottom=86
    )  # fmt: skip
    most = max(each["count"] for each in bins)
    parts = [frame.axes(), frame.line([(0, 0), (1, 1)], "chance")]
    for each in bins:
        x, low = frame.at(each["confidence"], each["low"])
        _, high = frame.at(each["confidence"], each["high"])
        parts.append(tag("line", class_="whisker", x1=x, x2=x, y1=low, y2=high))
        left, _ = frame.at(each["from"], 0)
        right, floor = frame.at(each["to"], 0)
        tall = 36 * each["count"] / most
        parts.append(
            tag("rect", class_="count", x=left + 1, y=floor + 46 - tall, width=right - left - 2, height=max(tall, 0.5))
        )
    parts.append(frame.line([(each["confidence"], each["accuracy"]) for each in bins], "main"))
    parts += [frame.dot((each["confidence"], each["accuracy"]), "main") for each in bins]
    for value in (0, 0.25, 0.5, 0.75, 1):
        x, y = frame.at(value, 0)
        parts.append(tag("text", f"{value:g}", class_="tick middle", x=x, y=y + 60))
    parts.append(
        tag("text", "confidence; below: number of photographs", class_="axis middle", x=229.0, y=frame.height - 4)
    )
    return drawing("Reliability diagram", frame.width, frame.height, *parts)


def epochs_chart(epochs: Sequence[dict[str, Any]], lines: Sequence[tuple[str, str]], label: str) -> Html:
    """Return metrics by epoch; ``lines`` are (column, class)."""
    values = [epoch[column] for epoch in epochs for column, _ in lines if epoch.get(column) is not None]
    if not values:
        return Html("")
    top = max(1.0, max(values)) if max(values) <= 1 else max(values) * 1.05
    last = max(2, len(epochs))
    step = max(1, -(-last // 10))
    frame = Frame(
        420, 260, (1, last), (0, top), range(1, last + 1, step), [top * part / 4 for part in range(5)], "epoch", label,
        digits=2,
    )  # fmt: skip
    parts = [frame.axes()]
    for column, class_ in lines:
        points = [(i, each[column]) for i, each in enumerate(epochs, start=1) if each.get(column) is not None]
        parts.append(frame.line(points, class_))
        parts += [frame.dot(point, class_, 2.2) for point in points]
    return drawing(f"{label} by epoch", frame.width, frame.height, *parts)


def whisker(found: dict[str, float] | None, *, start: float = 0.0) -> Html:
    """Return an estimate between ``start`` and 1 as a dot on a line, with its interval."""
    if found is None:
        return Html("")
    width, middle = 130.0, 8.0

    def at(value: float) -> float:
        return 4 + (min(max(value, start), 1.0) - start) / (1 - start) * (width - 8)

    return drawing(
        f"{found['value']:.3f}",
        width,
        16,
        tag("line", class_="grid", x1=at(start), x2=at(1), y1=middle, y2=middle),
        tag("line", class_="grid", x1=at((start + 1) / 2), x2=at((start + 1) / 2), y1=3, y2=13),
        tag("line", class_="whisker", x1=at(found["low"]), x2=at(found["high"]), y1=middle, y2=middle),
        tag("circle", class_="dot main", cx=at(found["value"]), cy=middle, r=3.5),
        class_="spark",
    )


def bar(share: float, label: str, *, class_: str = "main") -> Html:
    """Return a share as a bar."""
    return drawing(
        label,
        130,
        10,
        tag("rect", class_="ground", x=0, y=1, width=130, height=8, rx=2),
        tag("rect", class_=f"fill {class_}", x=0, y=1, width=max(130 * min(share, 1.0), 0.75), height=8, rx=2),
        class_="spark",
    )
