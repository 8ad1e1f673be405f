"""Template filters for agreement figures."""

from collections.abc import Mapping

from django import template

from diagnosis.reviews.kappa import Agreement

register = template.Library()


@register.filter
def kappa(value: float | None) -> str:
    """Return kappa with two decimals and a typographic minus; a dash if it is undefined."""
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


@register.filter
def share(value: float) -> str:
    return f"{value:.0%}".replace("%", "\u00a0%")


@register.filter
def of_class(by_class: Mapping[str, Agreement], code: str) -> float | None:
    return by_class[code].kappa
