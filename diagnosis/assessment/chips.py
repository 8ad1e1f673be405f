"""The chips of a list: for each state of a photograph one colour, one mark and one text.

A chip warns no less than the page behind it. Both take colour and tier from ``diagnosis.assessment.advice``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from django.utils.translation import gettext as _

from diagnosis.assessment.advice import (
    NO_CONTEXT,
    URGENCY,
    CaseContext,
    Caveat,
    caveats_about,
    caveats_without_answer,
    missed_in_words,
    tier_in_short,
    tone_beside,
    tone_without_answer,
)
from diagnosis.images.models import QualityVerdict, Tier
from diagnosis.reviews.answers import is_malignant_answer, leaves_danger_open
from diagnosis.reviews.contradictions import Contradiction
from diagnosis.reviews.review_words import answer_name
from mlmodel.network.quality import Reliability

URGENT, WATCH, CALM, REFUSED, LABEL = "urgent", "watch", "calm", "refused", "accent"
MARKS = {URGENT: "!", WATCH: "?", CALM: "✓", REFUSED: "–", LABEL: ""}
# The most urgent of several photographs leads. One that could not be analysed is no all-clear.
SEVERITY = {URGENT: 4, WATCH: 3, REFUSED: 2, LABEL: 1, CALM: 0}


class Substance(IntEnum):
    """What a chip rests on. Of several chips with the same urgency, the one with the strongest basis leads."""

    NOT_JUDGEABLE = 0
    WARNING = 1
    CALIBRATED = 2
    LABEL = 3


@dataclass(frozen=True)
class Chip:
    """One chip.

    Attributes:
        code: what it says, for programs and tests; a warning's is “warning:” and the code of its caveat.
        tone: the end of its class name: a tier, “refused”, or “accent” for a label that is not malignant.
        own: how urgent the photograph is by itself, as in ``URGENCY``; the tie-breaker between equal chips.
        is_tempered: a benign label lowers its tone.
    """

    code: str
    tone: str
    words: str
    own: int = 0
    substance: Substance = Substance.NOT_JUDGEABLE
    is_tempered: bool = False

    @property
    def mark(self) -> str:
        """A character that tells the tone without its colour."""
        return MARKS[self.tone]

    @property
    def severity(self) -> int:
        return SEVERITY[self.tone]

    @property
    def pressing(self) -> tuple[int, int, int]:
        """Sort key among several: severity, then the strength of the basis, then the photograph's own urgency."""
        return self.severity, self.substance, self.own

    @property
    def is_danger(self) -> bool:
        return self.severity >= SEVERITY[WATCH]


def in_order(chips: Iterable[Chip]) -> list[Chip]:
    """Return the chips without duplicates, the most pressing first, and none green next to a label of danger."""
    ordered = sorted(dict.fromkeys(chips), key=lambda chip: chip.pressing, reverse=True)
    if any(chip.is_danger and chip.substance is Substance.LABEL for chip in ordered):
        return [chip for chip in ordered if chip.tone != CALM]
    return ordered


def chip_of_answer(
    tier: Tier, case_context: CaseContext, *, refused: str = "", reliability: Reliability = Reliability.CALIBRATED
) -> Chip:
    """Return the chip of the network's answer in its case context.

    Args:
        tier: ``Prediction.shown_tier``.
        refused: why the quality check refused the photograph, in words; empty if it passed.
    """
    if case_context.is_explained_by_labels:
        # The labels' own chips say why it is urgent; this one shows the network's answer.
        if tier is Tier.CALM:
            return chip_of_missed_danger(case_context)
        return _of_answer(tier, str(tier), reliability=reliability)
    caveats = caveats_about(tier, case_context, refused=refused)
    tone = str(tone_beside(tier, case_context, has_caveats=bool(caveats)))
    warnings = [caveat for caveat in caveats if caveat.short]
    if warnings and (tier is Tier.CALM or tone != tier):
        return _chip_of_warning(tier, tone, _leading(warnings, tone), reliability=reliability)
    return _of_answer(tier, tone, reliability=reliability)


def chip_of_missed_danger(case_context: CaseContext) -> Chip:
    """Return the chip of a calm answer next to a warning of danger: not green, since it must not reassure."""
    return Chip("network_missed", REFUSED, missed_in_words(case_context), URGENCY[Tier.CALM])


def chip_next_to_benign_label(chip: Chip, *, is_proven: bool, words: str = "") -> Chip:
    """Return the chip of a watch or urgent answer under a benign label, in a lower tone.

    The label counts. Until histopathology agrees with it, an urgent answer stays visible as a warning.
    """
    if chip.substance is not Substance.CALIBRATED or not chip.is_danger:
        return chip
    tone = WATCH if chip.tone == URGENT and not is_proven else REFUSED
    text = (words or _("Network: %(said)s")) % {"said": chip.words.lower()}
    return Chip("network_disagrees", tone, text, chip.own, is_tempered=True)


def _leading(warnings: Sequence[Caveat], tone: str) -> Caveat:
    """Return the warning that a chip names: for an urgent tone an urgent one, else the first that is reliable."""
    if tone == URGENT:
        return next((caveat for caveat in warnings if caveat.is_urgent), warnings[0])
    return next((caveat for caveat in warnings if not caveat.is_second_hand), warnings[0])


def _chip_of_warning(tier: Tier, tone: str, warning: Caveat, *, reliability: Reliability) -> Chip:
    substance = Substance.NOT_JUDGEABLE if warning.is_second_hand else Substance.WARNING
    words = _("Warning: %(why)s")
    if reliability is Reliability.NOT_JUDGED:
        words = _("Failed the quality check. Warning: %(why)s")
    elif reliability is Reliability.SMARTPHONE:
        words = _("Taken without a dermatoscope. Warning: %(why)s")
    return Chip(f"warning:{warning.code}", tone, words % {"why": warning.short}, URGENCY[tier], substance)


def _of_answer(tier: Tier, tone: str, *, reliability: str) -> Chip:
    short = tier_in_short(tone)
    if reliability == Reliability.NOT_JUDGED:
        words = _("Failed the quality check: %(tier)s") % {"tier": short.lower()}
        return Chip("failed_quality_check", tone, words, URGENCY[tier])
    if reliability == Reliability.SMARTPHONE:
        words = _("%(tier)s: taken without a dermatoscope") % {"tier": short}
        return Chip("no_dermatoscope", tone, words, URGENCY[tier])
    if tier is Tier.CALM and tone != CALM:
        return Chip("see_the_warning", tone, _("See the warning"), URGENCY[tier], Substance.WARNING)
    return Chip("network", tone, short, URGENCY[tier], Substance.CALIBRATED)


def chip_of_refusal(verdict: str, case_context: CaseContext = NO_CONTEXT) -> Chip:
    """Return the chip of a photograph without an answer, in its case context."""
    code, words = "not_analysed", _("Not analysed yet")
    if verdict != QualityVerdict.ACCEPTED:
        code, words = "refused", _("Refused: %(verdict)s") % {"verdict": str(QualityVerdict(verdict).label).lower()}
    warnings = [] if case_context.is_explained_by_labels else caveats_without_answer(case_context)
    if not warnings:
        return Chip(code, REFUSED, words)
    tone = str(tone_without_answer(case_context))
    warning = _leading(warnings, tone)
    substance = Substance.NOT_JUDGEABLE if warning.is_second_hand else Substance.WARNING
    both = _("%(words)s. Warning: %(why)s") % {"words": words, "why": warning.short}
    return Chip(f"{code}:{warning.code}", tone, both, substance=substance)


def chip_of_label(answer: str, text: str = "") -> Chip:
    """Return the chip of a confirmed label."""
    tone = URGENT if is_malignant_answer(answer) else WATCH if leaves_danger_open(answer) else LABEL
    words = _("Confirmed: %(label)s") % {"label": answer_name(answer, text)}
    return Chip("confirmed", tone, words, substance=Substance.LABEL)


def chip_of_suspicion(name: str) -> Chip:
    """Return the chip of a malignant condition that one reader named and reviews have not settled."""
    return Chip("suspected", URGENT, _("Suspected: %(name)s") % {"name": name}, substance=Substance.LABEL)


def chip_of_suspicion_elsewhere(name: str) -> Chip:
    """Return the chip of a suspicion on another photograph of the lesion, for use with a benign label."""
    words = _("Suspected on another photograph: %(name)s") % {"name": name}
    return Chip("suspected_elsewhere", URGENT, words, substance=Substance.LABEL)


def chip_of_unclear(name: str) -> Chip:
    """Return the chip of a condition of unknown malignancy that one reader named."""
    return Chip("not_settled", WATCH, _("Not settled: %(name)s") % {"name": name}, substance=Substance.LABEL)


def chip_of_same_file() -> Chip:
    """Return the chip of a photograph whose file is stored under another lesion too: one of the records is wrong."""
    words = _("The same file is stored under another lesion too")
    return Chip("same_file", URGENT, words, substance=Substance.LABEL)


def chip_of_assessment(assessment: dict[str, Any]) -> Chip:
    """Return the chip of the network's answer as stored in a report."""
    reliability = assessment.get("reliability", Reliability.CALIBRATED)
    return _of_answer(Tier(assessment["tier"]), assessment["tone"], reliability=reliability)


def chip_of_contradiction(contradiction: Contradiction) -> Chip:
    """Return the chip of a lesion's contradictory labels; a dangerous one is named."""
    words = _("Labels contradict each other")
    if contradiction.proven:
        words = _("%(name)s by histopathology, against another label") % {"name": contradiction.proven}
    elif contradiction.is_dangerous:
        words = _("Labels contradict each other: one is %(name)s") % {"name": contradiction.names[0]}
    return Chip("contradiction", URGENT, words, substance=Substance.LABEL)


def chip_of_unread() -> Chip:
    """Return the chip of a photograph that its reader still reads blinded: alike for urgent and calm, never calm."""
    return Chip("unread", WATCH, _("Waits for your answer"))


def chip_of_exclusion() -> Chip:
    return Chip("excluded", REFUSED, _("Photograph excluded: does not count"))
