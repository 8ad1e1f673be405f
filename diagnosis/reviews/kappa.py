"""How far readers agree beyond chance: Cohen's kappa for two, Fleiss' for more. Pure arithmetic.

Cohen, Educ Psychol Meas 20:37 (1960), with the large-sample standard error given there; Fleiss, Psychol Bull 76:378
(1971). A kappa of 1 is perfect agreement, 0 is what chance gives. It falls with rare classes even where readers agree
nearly always (the kappa paradox), so the share that agrees is always told beside it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_TWO_SIDED_95 = 1.96


@dataclass(frozen=True)
class Agreement:
    """``count`` photographs; ``observed`` is the share that agrees, in [0, 1].

    ``kappa`` is in [−1, 1] with a 95 % interval; None where there is nothing to measure it by: no photograph, or one
    answer to all of them, which agrees by necessity. Fleiss' has no interval.
    """

    count: int
    observed: float
    kappa: float | None
    low: float | None = None
    high: float | None = None


def cohen(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Agreement of two readers, each photograph as (what one said, what the other said)."""
    count = len(pairs)
    if not count:
        return Agreement(0, 0.0, None)
    observed = sum(one == other for one, other in pairs) / count
    ones, others = Counter(one for one, _other in pairs), Counter(other for _one, other in pairs)
    by_chance = sum(ones[answer] * others[answer] for answer in ones) / count**2
    if by_chance == 1:  # exactly, as both numbers are whole
        return Agreement(count, observed, None)
    kappa = (observed - by_chance) / (1 - by_chance)
    margin = _TWO_SIDED_95 * math.sqrt(observed * (1 - observed) / count) / (1 - by_chance)
    return Agreement(count, observed, kappa, max(-1.0, kappa - margin), min(1.0, kappa + margin))


def cohen_for_class(pairs: Sequence[tuple[str, str]], answer: str) -> Agreement:
    """Agreement on whether a photograph shows ``answer`` or something else."""
    return cohen([(str(one == answer), str(other == answer)) for one, other in pairs])


def fleiss(photographs: Sequence[Sequence[str]]) -> Agreement:
    """Agreement of any number of readers, the same for each photograph, not always the same people.

    Args:
        photographs: of each what its readers said; all of one length, at least 2.

    Raises:
        ValueError: they are not.
    """
    count = len(photographs)
    if not count:
        return Agreement(0, 0.0, None)
    readers = len(photographs[0])
    if readers < 2 or any(len(said) != readers for said in photographs):
        raise ValueError("each photograph needs the same number of readers, and at least two")
    observed = sum(_agreeing_pairs(said) for said in photographs) / count
    shares = Counter(answer for said in photographs for answer in said)
    by_chance = sum((number / (count * readers)) ** 2 for number in shares.values())
    if len(shares) == 1:
        return Agreement(count, observed, None)
    return Agreement(count, observed, (observed - by_chance) / (1 - by_chance))


def fleiss_for_class(photographs: Sequence[Sequence[str]], answer: str) -> Agreement:
    """Agreement on whether a photograph shows ``answer`` or something else."""
    return fleiss([[str(each == answer) for each in said] for said in photographs])


def _agreeing_pairs(said: Sequence[str]) -> float:
    """The share of the pairs of readers that agree on one photograph."""
    return sum(number * (number - 1) for number in Counter(said).values()) / (len(said) * (len(said) - 1))
