"""The hidden idempotency-key field of a form; see ``dermascan.core.once``."""

import uuid

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dermascan.core.once import FIELD

register = template.Library()


@register.simple_tag
def idempotency_key() -> SafeString:
    """Return a hidden field with a new key."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, uuid.uuid4())
