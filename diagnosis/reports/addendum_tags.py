"""Addenda beside each other on paper: what no longer counts, since a newer one says otherwise, and what is short."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template

register = template.Library()

# An addendum of so few letters and lines is not divided between two pages.
SHORT, FEW_LINES = 600, 8

LastReported = Mapping[str, Any]


@register.simple_tag
def newer_label(label: LastReported, addendum: LastReported, addenda: Sequence[LastReported]) -> LastReported | None:
    """Return the newest addendum that says another thing of a label's photograph, or that it no longer counts.

    Args:
        label: of ``addendum``.
        addenda: of one report, the newest first.
    """
    return next(
        (
            newer
            for newer in _after(addendum, addenda)
            if any(row["photograph"] == label["photograph"] for row in (*newer["labels"], *newer["set_aside"]))
        ),
        None,
    )


@register.simple_tag
def newer_plan(addendum: LastReported, addenda: Sequence[LastReported]) -> LastReported | None:
    """Return the newest addendum that replaces the plan of which ``addendum`` speaks."""
    if addendum["replaces_plan"] is None:
        return None
    return next((newer for newer in _after(addendum, addenda) if newer["replaces_plan"]), None)


@register.filter
def is_short(words: str) -> bool:
    return len(words) < SHORT and words.count("\n") < FEW_LINES


def _after(addendum: LastReported, addenda: Sequence[LastReported]) -> list[LastReported]:
    return [each for each in addenda if each["number"] > addendum["number"]]
