"""Pieces of pages that stand in many templates: captured text, rows of facts, the box of an answer."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_block_tag
def capture(content: SafeString) -> SafeString:
    """Return the content without space around it, for a page that shows it twice: ``{% capture as name %}``."""
    return mark_safe(content.strip())  # noqa: S308  # rendered by the template, which has escaped it


@register.simple_tag
def fact(label: str, value: object, *, before: object = "", css: str = "") -> SafeString:
    """Return a row of a ``<dl>``, or nothing if there is no value.

    Args:
        before: what was here before a correction; it is struck out.
        css: a class of the value.
    """
    if value is None or value == "":
        return mark_safe("")
    struck = format_html("<s>{}</s> ", before) if before else ""
    of_class = format_html(' class="{}"', css) if css else ""
    return format_html("<div><dt>{}</dt> <dd{}>{}{}</dd></div>", label, of_class, struck, value)


@register.simple_block_tag
def tier(content: SafeString, tone: str, mark: str) -> SafeString:
    """Return the box of an answer or a label, in the colour of its tone; the mark tells it without colour."""
    return format_html(
        '<div class="tier tier-{}"><span class="tier-sign" aria-hidden="true">{}</span><div>{}</div></div>',
        tone,
        mark,
        content,
    )
