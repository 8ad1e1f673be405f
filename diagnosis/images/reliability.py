"""How far the network's answer to a photograph can be relied on: one rule for every page, list, report and program.

The network classifies about a third of photographs taken without a dermatoscope correctly. Such an answer shows no
class and no percentage, and its tier never reads as an all-clear. The same holds for a photograph that the quality
check refused and a dermatologist had analysed anyway: the probabilities are calibrated on photographs that pass it.

A member may state the kind of a photograph. That only ever makes the answer more cautious: an overview or a close-up
is answered as one without a dermatoscope, even if it looks dermoscopic, and one that looks like a smartphone's is
answered as such, even if it is called dermoscopic. An overview is analysed like any other: whoever calls an urgent
photograph an overview by mistake must not make its warning disappear.
"""

from collections.abc import Mapping

from diagnosis.images.kinds import WITHOUT_DERMATOSCOPE
from mlmodel.network.quality import SMARTPHONE_MEASURE, Reliability
from mlmodel.network.tiers import Tier


def is_smartphone(measures: Mapping[str, float]) -> bool:
    """Return whether the quality check found that the photograph was taken without a dermatoscope."""
    return bool(measures.get(SMARTPHONE_MEASURE))


def is_without_dermatoscope(measures: Mapping[str, float], kind: str = "") -> bool:
    """Return whether the photograph looks like, or was stated to be, one without a dermatoscope."""
    return is_smartphone(measures) or kind in WITHOUT_DERMATOSCOPE


def reliability_of(measures: Mapping[str, float], *, is_accepted: bool = True, kind: str = "") -> Reliability:
    """Return how far the answer to a photograph with these quality measurements can be relied on.

    Args:
        is_accepted: whether it passed the quality check.
        kind: the ``PhotographKind`` that a member stated, if any.
    """
    if not is_accepted:
        return Reliability.NOT_JUDGED
    return Reliability.SMARTPHONE if is_without_dermatoscope(measures, kind) else Reliability.CALIBRATED


def tier_to_show(tier: str, reliability: Reliability) -> str:
    """Return the tier to show: at least "watch" where the answer cannot be relied on."""
    if reliability is not Reliability.CALIBRATED and tier == Tier.CALM:
        return str(Tier.WATCH)
    return str(tier)
