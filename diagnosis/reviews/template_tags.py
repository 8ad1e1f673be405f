"""Figures of agreement as a table shows them."""

from collections.abc import Mapping

from django import template

from diagnosis.reviews.kappa import Agreement

register = template.Library()


@register.filter
def kappa(value: float | None) -> str:
    """Two digits, with a true minus; a dash where there is nothing to measure."""
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


@register.filter
def share(value: float) -> str:
    return f"{value:.0%}".replace("%", "\u00a0%")


@register.filter
def of_class(by_class: Mapping[str, Agreement], code: str) -> float | None:
    return by_class[code].kappa
