"""The reasons to review a photograph, and the weights that order the queue.

A photograph's priority is the sum of its reasons' weights, plus up to ``PROBABILITY_WEIGHT`` for its malignant
probability, which orders photographs with the same reasons. The weights are chosen so that

- disputes and danger come first: readers who disagree, contradictory labels of one lesion, an urgent answer;
- the system's own uncertainty comes next: refusals, overrides, tiers that a new network changed;
- the random sample ranks in the middle. It is reviewed whatever the network's answer, so that the clinic's figures
  represent all of its patients and not only suspicious cases;
- a photograph with no other reason waits with weight 0 and comes last.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from diagnosis.images.models import Tier
from diagnosis.reviews.answers import is_benign_answer, is_malignant_answer, is_one_of_the_seven
from diagnosis.reviews.models import Reason
from mlmodel.taxonomy import BY_CODE

WEIGHTS: dict[Reason, float] = {
    Reason.READERS_DISAGREE: 120,
    Reason.LABELS_CONTRADICT: 110,
    Reason.URGENT: 100,
    Reason.TIER_CHANGED: 90,
    Reason.OVERRIDDEN: 80,
    Reason.NETWORK_DISAGREES: 70,
    Reason.REFUSED: 60,
    Reason.MALIGNANT_SUSPICION: 50,
    Reason.NO_DERMATOSCOPE: 50,
    Reason.RANDOM_SHARE: 45,
    Reason.DRIFT_OUTLIER: 40,
    Reason.UNCERTAIN: 30,
    Reason.NO_LABEL: 0,
}
PROBABILITY_WEIGHT = 10.0
# A prediction set of three or more classes counts as uncertain.
UNCERTAIN_FROM = 3


@dataclass(frozen=True)
class Facts:
    """The facts about one photograph that its reasons depend on.

    Attributes:
        network_code: the class that explains the network's tier; empty if it was not analysed or no class is shown.
        answers: each reader's current answer, whether it decides or not.
        tier: the one that is shown.
        is_smartphone: it was taken without a dermatoscope, so that a calm answer is shown as “have it looked at”.
        set_size: of the prediction set; 0 if the version that made the prediction can no longer be loaded.
        tier_changed: the newest network changed its tier, and no review has been added since.
    """

    image_id: UUID
    is_refused: bool = False
    is_overridden: bool = False
    is_smartphone: bool = False
    network_code: str = ""
    tier: str = ""
    malignant_probability: float = 0.0
    set_size: int = 0
    is_outlier: bool = False
    tier_changed: bool = False
    is_disputed: bool = False
    answers: Sequence[str] = field(default_factory=tuple)


def reasons_for(facts: Facts, *, random_share: float) -> list[Reason]:
    """Return the reasons to review a photograph without a settled label, by weight; at least one."""
    holds = {
        Reason.READERS_DISAGREE: facts.is_disputed,
        Reason.URGENT: facts.tier == Tier.URGENT,
        Reason.TIER_CHANGED: facts.tier_changed,
        Reason.OVERRIDDEN: facts.is_overridden,
        Reason.NETWORK_DISAGREES: bool(facts.network_code)
        and any(_disagrees(answer, facts.network_code) for answer in facts.answers),
        Reason.REFUSED: facts.is_refused and not facts.is_overridden,
        Reason.MALIGNANT_SUSPICION: _is_suspicious(facts),
        Reason.NO_DERMATOSCOPE: facts.is_smartphone and facts.tier == Tier.WATCH,
        Reason.RANDOM_SHARE: is_in_random_share(facts.image_id, share=random_share),
        Reason.DRIFT_OUTLIER: facts.is_outlier,
        Reason.UNCERTAIN: facts.set_size >= UNCERTAIN_FROM,
    }
    return by_weight([reason for reason in holds if holds[reason]]) or [Reason.NO_LABEL]


def by_weight(reasons: Sequence[Reason]) -> list[Reason]:
    return sorted(reasons, key=lambda reason: -WEIGHTS[reason])


def priority_of(reasons: Sequence[Reason], *, malignant_probability: float) -> float:
    return sum(WEIGHTS[reason] for reason in reasons) + PROBABILITY_WEIGHT * malignant_probability


def is_in_random_share(image_id: UUID, *, share: float) -> bool:
    """Return whether the photograph is in the random sample, by a hash of its key: stable and not selectable."""
    return int.from_bytes(hashlib.sha256(b"review queue" + image_id.bytes).digest()[:8]) < share * 2**64


def crosses_the_line(answer: str, network_code: str) -> bool:
    """Return whether exactly one of the two is malignant or pre-malignant, as far as that is known."""
    if not network_code:
        return False
    if BY_CODE[network_code].is_malignant:
        return is_benign_answer(answer)
    return is_malignant_answer(answer)


def _disagrees(answer: str, network_code: str) -> bool:
    """Return whether the reader and the network disagree; outside the seven classes, only on malignancy."""
    if is_one_of_the_seven(answer):
        return answer != network_code
    return crosses_the_line(answer, network_code)


def _is_suspicious(facts: Facts) -> bool:
    """Return whether the network suspects a malignant class without an urgent tier."""
    is_malignant = bool(facts.network_code) and BY_CODE[facts.network_code].is_malignant
    return is_malignant and facts.tier != Tier.URGENT
