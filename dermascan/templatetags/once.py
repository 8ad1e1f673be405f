"""The hidden field that makes a form safe to send twice; see ``dermascan.core.once``."""

import uuid

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dermascan.core.once import FIELD

register = template.Library()


@register.simple_tag
def idempotency_key() -> SafeString:
    """A new key for each form and each time it is shown."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, uuid.uuid4())
