"""Template tag for names of people, as far as the viewer may see them."""

from typing import Any

from django import template

from patients.models import User
from patients.shown_names import shown_name

register = template.Library()


@register.simple_tag(takes_context=True)
def person(context: Any, user: User | None) -> str:
    """Return the display name of ``user`` for the current viewer; see ``shown_name``."""
    viewer = context["request"].user if "request" in context else None
    return shown_name(user, viewer=viewer)
