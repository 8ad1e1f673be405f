"""Pins that would cover each other are drawn apart, each with a line to its own place."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, hypot, sin

from patients.body_map.curves import Point

_ROUNDS = 120
# Pins at exactly the same place start out in different directions, by the golden angle.
_TURN = 2.399963


@dataclass(frozen=True)
class Frame:
    """The part of the drawing that is shown."""

    left: float
    top: float
    width: float
    height: float

    @property
    def view_box(self) -> str:
        return " ".join(f"{value:g}" for value in (self.left, self.top, self.width, self.height))

    def holds(self, point: Point) -> bool:
        x, y = point
        return self.left <= x <= self.left + self.width and self.top <= y <= self.top + self.height


def spread(places: Sequence[Point], *, apart: float, frame: Frame) -> list[Point]:
    """Return where each pin's head is drawn: at its place if there is room, else beside it.

    The heads of any two pins are at least ``apart`` from each other, or as far as the frame allows for so many.
    """
    room = (frame.width * frame.height / max(len(places), 1)) ** 0.5
    apart = min(apart, room * 0.7)
    heads = [_inside(place, apart / 2, frame) for place in places]
    for round_number in range(_ROUNDS):
        if not _push_apart(heads, apart):
            break
        heads = [_inside(head, apart / 2, frame) for head in heads]
        if round_number % 4 == 3:
            # A pin that has room again goes back towards its place.
            heads = [_pulled(head, place, heads, apart) for head, place in zip(heads, places, strict=True)]
    return heads


def _push_apart(heads: list[Point], apart: float) -> bool:
    """Move each pair that is too close; return whether there was one."""
    was_close = False
    for one in range(len(heads)):
        for other in range(one):
            (x1, y1), (x2, y2) = heads[one], heads[other]
            across, along = x1 - x2, y1 - y2
            distance = hypot(across, along)
            if distance >= apart - 0.01:
                continue
            was_close = True
            if distance < 0.01:
                across, along, distance = cos(one * _TURN), sin(one * _TURN), 1.0
            push = (apart - min(distance, apart)) / 2 / distance + 0.001
            push = apart / 2 if distance == 1.0 and (x1, y1) == (x2, y2) else push
            heads[one] = (x1 + across * push, y1 + along * push)
            heads[other] = (x2 - across * push, y2 - along * push)
    return was_close


def _pulled(head: Point, place: Point, heads: Sequence[Point], apart: float) -> Point:
    nearer = (head[0] + (place[0] - head[0]) * 0.25, head[1] + (place[1] - head[1]) * 0.25)
    others = [each for each in heads if each is not head]
    return nearer if all(hypot(nearer[0] - x, nearer[1] - y) >= apart for x, y in others) else head


def _inside(point: Point, margin: float, frame: Frame) -> Point:
    x = min(max(point[0], frame.left + margin), frame.left + frame.width - margin)
    y = min(max(point[1], frame.top + margin), frame.top + frame.height - margin)
    return x, y
