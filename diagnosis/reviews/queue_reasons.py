"""What makes a photograph worth a dermatologist's minute, and how much. One table of weights decides the order.

A photograph's priority is the sum of its reasons' weights, and up to ``MASS_WEIGHT`` more for its malignant
probability, which orders those that share their reasons. The weights are chosen so that

- what is known to be in dispute or in danger comes first: readers who disagree, labels of one lesion that contradict
  each other, an urgent answer;
- what the system itself is unsure of comes next: refusals, overrides, tiers that a new network changed;
- the random sample ranks in the middle. It is read whatever the network thinks of it, so that the clinic's figures are
  about all of its patients and not about the suspicious ones alone;
- a photograph about which nothing is remarkable waits with the weight 0, and is asked for when nothing else is.
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
MASS_WEIGHT = 10.0
# A prediction set of one or two classes is an answer; one of three or more is a shrug.
UNCERTAIN_FROM = 3


@dataclass(frozen=True)
class Facts:
    """What is known of one photograph.

    Attributes:
        network_code: the class that explains the network's tier; empty where it has not judged or names none.
        answers: the answers that readers gave and stand by, whether they decide or not.
        tier: the one that is shown.
        is_smartphone: it was taken without a dermatoscope, so that a calm answer is shown as “have it looked at”.
        set_size: of today's network's prediction set; 0 where another network judged.
        tier_changed: the newest network put it into another tier than the one before, and nobody has read it since.
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
    """Return the reasons to read a photograph that has no settled label, the weightiest first; never none."""
    found = {
        Reason.READERS_DISAGREE: facts.is_disputed,
        Reason.URGENT: facts.tier == Tier.URGENT,
        Reason.TIER_CHANGED: facts.tier_changed,
        Reason.OVERRIDDEN: facts.is_overridden,
        Reason.NETWORK_DISAGREES: bool(facts.network_code)
        and any(_disagrees(said, facts.network_code) for said in facts.answers),
        Reason.REFUSED: facts.is_refused and not facts.is_overridden,
        Reason.MALIGNANT_SUSPICION: _is_suspicious(facts),
        Reason.NO_DERMATOSCOPE: facts.is_smartphone and facts.tier == Tier.WATCH,
        Reason.RANDOM_SHARE: is_in_random_share(facts.image_id, share=random_share),
        Reason.DRIFT_OUTLIER: facts.is_outlier,
        Reason.UNCERTAIN: facts.set_size >= UNCERTAIN_FROM,
    }
    return by_weight([reason for reason, holds in found.items() if holds]) or [Reason.NO_LABEL]


def by_weight(reasons: Sequence[Reason]) -> list[Reason]:
    return sorted(reasons, key=lambda reason: -WEIGHTS[reason])


def priority_of(reasons: Sequence[Reason], *, malignant_probability: float) -> float:
    return sum(WEIGHTS[reason] for reason in reasons) + MASS_WEIGHT * malignant_probability


def is_in_random_share(image_id: UUID, *, share: float) -> bool:
    """Draw by the photograph's own random key: the same answer whenever it is asked, and nobody can aim at it."""
    return int.from_bytes(hashlib.sha256(b"review queue" + image_id.bytes).digest()[:8]) < share * 2**64


def crosses_the_line(answer: str, network_code: str) -> bool:
    """Tell whether one of the two is malignant or pre-malignant and the other is not, as far as that is known."""
    if not network_code:
        return False
    if BY_CODE[network_code].is_malignant:
        return is_benign_answer(answer)
    return is_malignant_answer(answer)


def _disagrees(answer: str, network_code: str) -> bool:
    """Of what is none of the seven the network can know no more than whether it is dangerous."""
    if is_one_of_the_seven(answer):
        return answer != network_code
    return crosses_the_line(answer, network_code)


def _is_suspicious(facts: Facts) -> bool:
    """Whether the network suspects a malignant class, without calling it urgent."""
    is_named = bool(facts.network_code) and BY_CODE[facts.network_code].is_malignant
    return is_named and facts.tier != Tier.URGENT
