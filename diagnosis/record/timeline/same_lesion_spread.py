"""How far two photographs of one lesion lie apart although the lesion is the same.

Measured once by ``research/same_lesion.py`` with the shipped network on fold 7 of HAM10000, on which no network was
trained; ``research/same_lesion.md`` says how. Nine pairs in ten, or for areas nineteen photographs in twenty, lie
within these figures.
"""

from math import exp, log

# The malignant probability, in log odds: 251 pairs, with other magnifications, angles and cameras. Half of the pairs
# lie within 0.67.
LOG_ODDS = 2.13
# The area, as the logarithm of its ratio: 97 photographs turned, shifted, relit and enlarged by a known factor. Two
# real photographs differ by more, since the width that was stated for them is uncertain too.
LOG_AREA = 0.12
# Pairs of HAM10000 again: asymmetry of shape (107), compactness of the border (107), number of colours (194).
ASYMMETRY = 0.03
COMPACTNESS = 0.20
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
    """Return whether two areas differ no more than outlines of one lesion do."""
    return abs(log(after / before)) <= LOG_AREA


def _log_odds(probability: float) -> float:
    kept = min(max(probability, _LEAST), _MOST)
    return log(kept / (1 - kept))
