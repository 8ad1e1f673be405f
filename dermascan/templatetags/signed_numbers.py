"""Numbers as the pages write them."""

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def signed(value: float, places: int = 3) -> str:
    """A change with its sign: ``+0.013``, ``−0.020``; a rounded nothing has none."""
    rounded = round(float(value), places)
    written = number_format(abs(rounded), decimal_pos=places)
    return f"{'+' if rounded > 0 else '−' if rounded < 0 else ''}{written}"
