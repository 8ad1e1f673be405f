"""Template tags about how photographs were taken."""

from django import template

from diagnosis.assessment.photograph_kind import kind_in_words

register = template.Library()


@register.simple_tag
def kind_words(kind: str) -> str:
    """Return the stated kind of a photograph in words; empty if none was stated."""
    return kind_in_words(kind)
