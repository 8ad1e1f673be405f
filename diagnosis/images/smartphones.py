"""Whether a photograph was taken without a dermatoscope."""

from collections.abc import Mapping

from mlmodel.network.quality import SMARTPHONE_MEASURE


def is_smartphone(measures: Mapping[str, float]) -> bool:
    """Return whether the quality check found that the photograph was taken without a dermatoscope."""
    return bool(measures.get(SMARTPHONE_MEASURE))
