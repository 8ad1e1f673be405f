"""How far two photographs of one lesion lie apart although the lesion is the same.

The answers were measured once by ``research/same_lesion.py`` with the shipped network on fold 7 of HAM10000, on which
no network was trained; ``research/same_lesion.md`` says how. Nine pairs in ten lie within these figures. The margins
of what is measured from outlines are those of the comparison of two photographs, so that both pages agree.
"""

from math import exp, log

from mlmodel.alignment.changes import margin_of_areas_by_width

# The malignant probability, in log odds: 251 pairs, with other magnifications, angles and cameras. Half of the pairs
# lie within 0.67.
LOG_ODDS = 2.13
# The number of colours: pairs of HAM10000 again (194).
COLOURS = 1

# Beyond these the log odds say more about rounding than about the lesion.
_LEAST, _MOST = 0.005, 0.995


def is_within_spread(before: float, after: float) -> bool:
    """Return whether two malignant probabilities differ no more than two photographs of one day do."""
    return abs(_log_odds(after) - _log_odds(before)) <= LOG_ODDS


def range_of_another_photograph(probability: float) -> tuple[float, float]:
    """Return between what the answer to another photograph of the same day would lie, 9 times in 10."""
    middle = _log_odds(probability)
    low, high = (1 / (1 + exp(-(middle + shift))) for shift in (-LOG_ODDS, LOG_ODDS))
    return min(low, probability), max(high, probability)


def is_area_within_spread(before: float, after: float) -> bool:
    """Return whether two areas by stated widths differ no more than two photographs of one lesion do."""
    return abs(log(after / before)) <= margin_of_areas_by_width()


def range_of_area_change(before: float, after: float) -> tuple[float, float]:
    """Return between which ratios the change of an area lies, 19 times in 20."""
    middle, margin = log(after / before), margin_of_areas_by_width()
    return exp(middle - margin), exp(middle + margin)


def least_area_change() -> float:
    """Return the smallest growth that two photographs can show, as a share of the area."""
    return exp(margin_of_areas_by_width()) - 1


def _log_odds(probability: float) -> float:
    kept = min(max(probability, _LEAST), _MOST)
    return log(kept / (1 - kept))
