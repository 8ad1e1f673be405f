"""Tags for the addenda in one PDF: which statements a newer addendum has replaced, and which addenda are short."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template

register = template.Library()

# Shorter addenda are not split across pages.
SHORT, FEW_LINES = 600, 8

Row = Mapping[str, Any]


@register.simple_tag
def newer_label(label: Row, addendum: Row, addenda: Sequence[Row]) -> Row | None:
    """Return the newest later addendum that relabels or excludes the photograph of ``label``, or None.

    Args:
        label: a row of ``addendum``.
        addenda: all addenda of the report, newest first.
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
def newer_plan(addendum: Row, addenda: Sequence[Row]) -> Row | None:
    """Return the newest later addendum that replaces the plan to which ``addendum`` refers, or None."""
    if addendum["replaces_plan"] is None:
        return None
    return next((newer for newer in _after(addendum, addenda) if newer["replaces_plan"]), None)


@register.filter
def is_short(words: str) -> bool:
    return len(words) < SHORT and words.count("\n") < FEW_LINES


def _after(addendum: Row, addenda: Sequence[Row]) -> list[Row]:
    return [each for each in addenda if each["number"] > addendum["number"]]
