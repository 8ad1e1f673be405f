"""The chips of a list: for each state of a photograph one colour, one mark and one set of words.

A chip says no less than the page behind it. Both take colour and tier from ``diagnosis.advice``.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from diagnosis.advice import URGENCY, Besides, doubts_about, tone_of
from diagnosis.answers import is_malignant_answer, leaves_danger_open
from diagnosis.models import QualityVerdict, Tier
from diagnosis.review_words import answer_name

URGENT, WATCH, CALM, REFUSED, LABEL = "urgent", "watch", "calm", "refused", "accent"
MARKS = {URGENT: "!", WATCH: "?", CALM: "✓", REFUSED: "–", LABEL: ""}
# Of several photographs the one that asks for most speaks. One that nobody could judge is no all-clear.
SEVERITY = {URGENT: 4, WATCH: 3, REFUSED: 2, LABEL: 1, CALM: 0}


@dataclass(frozen=True)
class Sign:
    """One chip.

    Attributes:
        tone: the end of its class name: a tier, “refused”, or “accent” for a label without danger.
        own: how urgent the photograph is by itself, as ``URGENCY`` counts: of two of one tone that one speaks.
    """

    tone: str
    words: str
    own: int = 0

    @property
    def mark(self) -> str:
        """For those who do not see the colour."""
        return MARKS[self.tone]

    @property
    def severity(self) -> int:
        return SEVERITY[self.tone]


def sign_of_answer(tier: Tier, besides: Besides, *, refused: str = "", is_smartphone: bool = False) -> Sign:
    """The chip of a network's answer, with what is known besides.

    Args:
        tier: as ``Prediction.shown_tier`` says it.
        refused: why the photograph could not be judged, in words; empty where it could.
    """
    has_doubts = bool(doubts_about(tier, besides, refused=refused))
    tone = str(tone_of(besides.advised(tier), has_doubts=has_doubts))
    return sign_of_report_answer(
        tier, tone, has_doubts=has_doubts, was_refused=bool(refused), is_smartphone=is_smartphone
    )


def sign_of_report_answer(tier: Tier, tone: str, *, has_doubts: bool, was_refused: bool, is_smartphone: bool) -> Sign:
    """The same of an answer whose tone is known, as a report keeps it."""
    short = tier_in_short(Tier(tone))
    if was_refused:
        return Sign(tone, _("Could not be judged: %(tier)s") % {"tier": short.lower()}, URGENCY[tier])
    if is_smartphone:
        return Sign(tone, _("%(tier)s: taken without a dermatoscope") % {"tier": short}, URGENCY[tier])
    if tier is Tier.CALM and has_doubts:
        return Sign(tone, _("%(tier)s, but see the warning") % {"tier": tier_in_short(tier)}, URGENCY[tier])
    return Sign(tone, short, URGENCY[tier])


def sign_of_refusal(verdict: str) -> Sign:
    """The chip of a photograph without an answer."""
    if verdict == QualityVerdict.ACCEPTED:
        return Sign(REFUSED, _("Not judged yet"))
    return Sign(REFUSED, _("Refused: %(verdict)s") % {"verdict": str(QualityVerdict(verdict).label).lower()})


def sign_of_label(answer: str, text: str = "") -> Sign:
    """The chip of what dermatologists have settled."""
    tone = URGENT if is_malignant_answer(answer) else WATCH if leaves_danger_open(answer) else LABEL
    return Sign(tone, _("Confirmed: %(label)s") % {"label": answer_name(answer, text)})


def sign_of_suspicion(name: str) -> Sign:
    """The chip of a malignant condition that one reader named and reviews have not settled."""
    return Sign(URGENT, _("Suspected: %(name)s") % {"name": name})


def sign_of_contradiction() -> Sign:
    return Sign(URGENT, _("Labels contradict each other"))


def sign_of_exclusion() -> Sign:
    return Sign(REFUSED, _("Set aside: does not count"))


def tier_in_short(tier: str) -> str:
    return {
        Tier.URGENT: _("See within two weeks"),
        Tier.WATCH: _("Have it looked at"),
        Tier.CALM: _("Nothing alarming"),
    }[Tier(tier)]
