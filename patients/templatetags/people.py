"""Names of people, as whoever looks may read them."""

from typing import Any

from django import template

from patients.models import User
from patients.shown_names import shown_name

register = template.Library()


@register.simple_tag(takes_context=True)
def person(context: Any, user: User | None) -> str:
    """The name of ``user``, or what they are where whoever asks is of another clinic."""
    viewer = context["request"].user if "request" in context else None
    return shown_name(user, viewer=viewer)
