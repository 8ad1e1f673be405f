"""Menu links and breadcrumbs."""

from django import template
from django.conf import settings
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag
def site_name() -> str:
    """Return the site name, also on the error page, which is rendered without a context."""
    return settings.SITE_NAME


@register.simple_tag(takes_context=True)
def nav_link(context: Context, name: str, text: str) -> SafeString:
    """Return a link to the page ``name``, marked as current on that page and the pages below it."""
    url = reverse(name)
    path = getattr(context.get("request"), "path", "")
    if path == url:
        return format_html('<a href="{}" aria-current="page">{}</a>', url, text)
    if path.startswith(url):
        return format_html('<a href="{}" aria-current="true">{}</a>', url, text)
    return format_html('<a href="{}">{}</a>', url, text)


@register.simple_tag
def crumb(name: str, text: str) -> SafeString:
    """Return a step of the breadcrumbs, a link to the page ``name``."""
    return format_html('<li><a href="{}">{}</a></li>', reverse(name), text)


@register.simple_block_tag
def breadcrumbs(content: SafeString) -> SafeString:
    """Return breadcrumb navigation: ``{% breadcrumbs %}{% crumb … %}{% endbreadcrumbs %}``."""
    return format_html('<nav class="breadcrumbs" aria-label="{}"><ol>{}</ol></nav>', _("Breadcrumbs"), content)
