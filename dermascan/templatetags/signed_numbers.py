"""Number formatting."""

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def signed(value: float, places: int = 3) -> str:
    """Return a change with its sign: ``+0.013``, ``−0.020``, ``0.000``."""
    rounded = round(float(value), places)
    digits = number_format(abs(rounded), decimal_pos=places)
    return f"{'+' if rounded > 0 else '−' if rounded < 0 else ''}{digits}"
