"""What a threshold finds, flags and misses, in words, on lesions that the network never saw."""

from django.utils.translation import gettext as _

from diagnosis.images.models import Tier
from mlmodel.counted import per_hundred
from mlmodel.network.tiers import OperatingPoint, OperatingPoints


def cost_of(tier: Tier, points: OperatingPoints, *, are_chosen: bool = False) -> str:
    """Return what the threshold behind ``tier`` finds, flags and misses, on lesions the network never saw."""
    cost = _cost_of(tier, points)
    return f"{cost} {_('The clinic has chosen this threshold.')}" if are_chosen else cost


def _cost_of(tier: Tier, points: OperatingPoints) -> str:
    if tier is Tier.CALM:
        missed = [points.watch.melanomas_found, points.watch.malignant_found]
        return _(
            "This is not an all-clear: the network wrongly calls %(melanomas)s of 100 melanomas calm, and %(missed)s "
            "of 100 malignant or pre-malignant lesions in all%(where)s."
        ) % {
            "melanomas": in_hundred(*missed[0], is_missed=True),
            "missed": in_hundred(*missed[1], is_missed=True),
            "where": _depending(*missed),
        }
    point = points.urgent if tier is Tier.URGENT else points.watch
    return _(
        "At this threshold the network finds %(melanomas)s of 100 melanomas and %(found)s of 100 malignant or "
        "pre-malignant lesions in all, and also flags %(flagged)s of 100 benign ones%(where)s."
    ) % _shares_of(point)


def found_and_flagged(point: OperatingPoint) -> str:
    """Return what a threshold finds and flags, as a sentence without the threshold's name."""
    return _(
        "Finds %(melanomas)s of 100 melanomas and %(found)s of 100 malignant or pre-malignant lesions in all, and "
        "also flags %(flagged)s of 100 benign ones%(where)s."
    ) % _shares_of(point)


def _shares_of(point: OperatingPoint) -> dict[str, str]:
    return {
        "melanomas": in_hundred(*point.melanomas_found),
        "found": in_hundred(*point.malignant_found),
        "flagged": in_hundred(*point.benign_spared, is_missed=True),
        "where": _depending(point.melanomas_found, point.malignant_found, point.benign_spared),
    }


def in_hundred(least: float, most: float, *, is_missed: bool = False) -> str:
    """Return a range of shares, or of their complements, per hundred: “82”, or “82 to 93” if the ends differ.

    A complement above 0 is never rounded down to 0, nor a share below 1 up to 100.

    Args:
        least: the lower share, in [0, 1].
        most: the higher share.
        is_missed: return the complements.
    """
    low, high = (1 - most, 1 - least) if is_missed else (least, most)
    first, last = per_hundred(low), per_hundred(high)
    if is_missed and last == 0 and high > 0:
        return _("fewer than 1")
    return str(first) if first == last else _("%(first)d to %(last)d") % {"first": first, "last": last}


def _depending(*ranges: tuple[float, float]) -> str:
    """Return what the figures range over, if any of them is a range after rounding; else empty."""
    is_range = any(per_hundred(low) != per_hundred(high) for low, high in ranges)
    return _(", depending on whose photographs it was tested on") if is_range else ""
