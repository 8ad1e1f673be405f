"""Template tags for the scale of a photograph."""

from django import template

from diagnosis.images.models import Image
from diagnosis.measures.services import newest_scale

register = template.Library()


@register.simple_tag
def stated_width(image: Image) -> str:
    """Return the width of the whole picture in millimetres for a script; empty if nobody has stated it."""
    scale = newest_scale(image)
    return "" if scale is None else f"{scale.width_mm:f}"
