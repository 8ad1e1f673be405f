"""Agreement of readers beyond chance: Cohen's kappa for two, Fleiss' for more. Pure arithmetic.

Cohen, Educ Psychol Meas 20:37 (1960), with the large-sample standard error given there; Fleiss, Psychol Bull 76:378
(1971). A kappa of 1 is perfect agreement, 0 is agreement by chance. It is low for rare classes even if readers nearly
always agree (the kappa paradox), so the observed agreement is always shown with it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_TWO_SIDED_95 = 1.96


@dataclass(frozen=True)
class Agreement:
    """Agreement on ``count`` photographs; ``observed`` is the share with agreement, in [0, 1].

    ``kappa`` is in [−1, 1] with a 95 % interval. It is None if undefined: without photographs, or if all answers are
    the same. Fleiss' kappa has no interval.
    """

    count: int
    observed: float
    kappa: float | None
    low: float | None = None
    high: float | None = None


def cohen(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Return the agreement of two readers, from one pair of answers per photograph."""
    count = len(pairs)
    if not count:
        return Agreement(0, 0.0, None)
    observed = sum(one == other for one, other in pairs) / count
    ones, others = Counter(one for one, _other in pairs), Counter(other for _one, other in pairs)
    by_chance = sum(ones[answer] * others[answer] for answer in ones) / count**2
    if by_chance == 1:  # exact, since both numbers are integers
        return Agreement(count, observed, None)
    kappa = (observed - by_chance) / (1 - by_chance)
    margin = _TWO_SIDED_95 * math.sqrt(observed * (1 - observed) / count) / (1 - by_chance)
    return Agreement(count, observed, kappa, max(-1.0, kappa - margin), min(1.0, kappa + margin))


def cohen_for_class(pairs: Sequence[tuple[str, str]], answer: str) -> Agreement:
    """Return the agreement of two readers on whether a photograph shows ``answer`` or something else."""
    return cohen([(str(one == answer), str(other == answer)) for one, other in pairs])


def fleiss(photographs: Sequence[Sequence[str]]) -> Agreement:
    """Return the agreement of a fixed number of readers per photograph, who need not be the same people.

    Args:
        photographs: the answers to each; all of the same length, at least 2.

    Raises:
        ValueError: the lengths differ or are less than 2.
    """
    count = len(photographs)
    if not count:
        return Agreement(0, 0.0, None)
    readers = len(photographs[0])
    if readers < 2 or any(len(answers) != readers for answers in photographs):
        raise ValueError("each photograph needs the same number of readers, and at least two")
    observed = sum(_agreeing_pairs(answers) for answers in photographs) / count
    shares = Counter(answer for answers in photographs for answer in answers)
    by_chance = sum((number / (count * readers)) ** 2 for number in shares.values())
    if len(shares) == 1:
        return Agreement(count, observed, None)
    return Agreement(count, observed, (observed - by_chance) / (1 - by_chance))


def fleiss_for_class(photographs: Sequence[Sequence[str]], answer: str) -> Agreement:
    """Return the agreement of readers on whether a photograph shows ``answer`` or something else."""
    return fleiss([[str(each == answer) for each in answers] for answers in photographs])


def _agreeing_pairs(answers: Sequence[str]) -> float:
    """Return the share of pairs of readers that agree on one photograph."""
    return sum(number * (number - 1) for number in Counter(answers).values()) / (len(answers) * (len(answers) - 1))
