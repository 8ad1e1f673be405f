"""What a photograph was taken with, and what that costs, in words."""

from collections.abc import Mapping

from mlmodel.network.quality import SMARTPHONE_MEASURE


def is_smartphone(measures: Mapping[str, float]) -> bool:
    """Return whether the photograph was found to be taken without a dermatoscope."""
    return bool(measures.get(SMARTPHONE_MEASURE))
