"""The template filter for the gate's stored reasons."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import gettext

from mlmodel.retraining.reason_texts import reason_text

register = template.Library()


@register.filter
def in_words(reason: Mapping[str, Any]) -> str:
    """Return a reason in the reader's language; in its stored words if another version of the software gave it."""
    try:
        return reason_text(reason["code"], reason["figures"]).translated(gettext)
    except KeyError:
        return str(reason["words"])
