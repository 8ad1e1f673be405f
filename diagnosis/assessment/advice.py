"""What to do next: by the photograph's tier, and by what is known besides it.

A photograph is read alone. What the patient says of the spot and what other photographs of it say may ask for more
haste, and then the page says so at once and advises by that. The network's own answer is never changed.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from diagnosis.images.models import Tier
from diagnosis.reviews.answers import is_benign_answer, is_malignant_answer, leaves_danger_open
from diagnosis.reviews.review_words import answer_name

URGENCY = {Tier.URGENT: 3, Tier.WATCH: 2, Tier.CALM: 1}


@dataclass(frozen=True)
class Sibling:
    """Another photograph of the same lesion.

    Attributes:
        tier: of the answer that is shown of it; empty if it was not judged.
        label: the answer that dermatologists have settled; empty without.
        label_text: their own words, where the label is something else.
        suspected: a malignant condition that one reader named and reviews have not settled, in words.
        is_calibrated: its answer can be relied on; not of one without a dermatoscope, or that could not be judged.
    """

    taken_on: datetime.date
    tier: str
    label: str = ""
    label_text: str = ""
    suspected: str = ""
    url: str = ""
    is_calibrated: bool = True

    @property
    def haste(self) -> int:
        """How much haste it asks for, as ``URGENCY`` counts; a label outranks a tier, unless it leaves danger open."""
        if is_malignant_answer(self.label) or self.suspected:
            return URGENCY[Tier.URGENT]
        by_tier = URGENCY[Tier(self.tier)] if self.tier else 0
        if leaves_danger_open(self.label):
            return max(URGENCY[Tier.WATCH], by_tier)
        return 0 if self.label else by_tier

    @property
    def founded_on(self) -> int:
        """How well its haste is founded: on a label of danger, on a suspicion, on a label, or on an answer."""
        if is_malignant_answer(self.label):
            return 4
        return 3 if self.suspected else 2 if self.label else int(self.is_calibrated)

    @property
    def is_second_hand(self) -> bool:
        """Whether it asks for haste by an answer alone that cannot be relied on."""
        return not (self.is_calibrated or self.label or self.suspected)


@dataclass(frozen=True)
class CaseContext:
    """What is known besides one photograph.

    Attributes:
        symptoms: those of the visit that ask for a dermatologist whatever a photograph says, in words.
        siblings: the lesion's other photographs.
        suspected: a malignant condition that a dermatologist named and reviews have not settled, in words.
        unclear: a condition that a dermatologist named and of which it is not known whether it is malignant, in words.
        is_doubted: a dermatologist was not sure what it is, or could not tell.
        label: the answer that dermatologists have settled. One that says how dangerous it is leaves nothing else to
            be known but ``suspected_elsewhere``; one that does not takes no warning away.
        suspected_elsewhere: beside a harmless label, a malignant condition that a dermatologist named on another
            photograph of the lesion and reviews have not settled, in words.
    """

    symptoms: Sequence[str] = ()
    siblings: Sequence[Sibling] = ()
    suspected: str = ""
    unclear: str = ""
    is_doubted: bool = False
    label: str = ""
    suspected_elsewhere: str = ""

    @property
    def is_confirmed_malignant(self) -> bool:
        return is_malignant_answer(self.label)

    @property
    def speaks_of_danger(self) -> bool:
        """Whether dermatologists have named something that is, or may be, malignant: no calm answer is a comfort."""
        return bool(self.is_confirmed_malignant or self.is_suspected or self.unclear)

    @property
    def is_suspected(self) -> bool:
        """Whether a dermatologist suspects danger, be it by this photograph or, against its label, by another."""
        return bool(self.suspected or self.suspected_elsewhere)

    @property
    def is_told_by_labels(self) -> bool:
        """Whether what dermatologists said of this photograph asks for as much haste as all that is known besides."""
        if self.is_confirmed_malignant or self.is_suspected:
            return True
        return bool(self.unclear) and self.advised(Tier.CALM) is not Tier.URGENT

    def advised(self, tier: Tier) -> Tier:
        """The tier by which is advised: that of the photograph, or what else is known if that is more urgent."""
        if self.is_suspected:
            return Tier.URGENT
        worst = self.more_urgent_than(tier)
        if worst is not None:
            return next(each for each, haste in URGENCY.items() if haste == worst.haste)
        return Tier.WATCH if self.unclear and tier is Tier.CALM else tier

    def explained_as(self, tier: Tier) -> Tier:
        """The tier beside which an article is read: as advised, and never calm where symptoms ask for a look."""
        advised = self.advised(tier)
        return Tier.WATCH if advised is Tier.CALM and self.symptoms else advised

    def more_urgent_than(self, tier: Tier) -> Sibling | None:
        """The most urgent of the siblings, if it asks for more haste than ``tier``: of several the best founded."""
        worst = max(self.siblings, key=lambda each: (each.haste, each.founded_on, each.taken_on), default=None)
        return worst if worst is not None and worst.haste > URGENCY[tier] else None


@dataclass(frozen=True)
class Caveat:
    """Why a photograph's answer is not all that counts; ``url`` leads to what it speaks of.

    Attributes:
        short: the same for a list, after “Warning:”; empty of what a list says in another way.
        is_second_hand: it comes from another photograph's answer that cannot be relied on.
        is_urgent: it asks for urgent haste.
    """

    words: str
    url: str = ""
    short: str = ""
    is_second_hand: bool = False
    is_urgent: bool = False


NO_CONTEXT = CaseContext()


def contradicts_tier(answer: str, tier: str) -> bool:
    """Whether an answer and the network's tier contradict each other about danger: all that it knows of most of them.

    A malignant answer where the network is calm, or a benign one where it is urgent.
    """
    return tier == Tier.CALM if is_malignant_answer(answer) else tier == Tier.URGENT and is_benign_answer(answer)


def tone_of(advised: Tier, *, has_caveats: bool) -> Tier:
    """The colour and sign in which an answer is shown: those of the advice, and calm only where there is no doubt."""
    return Tier.WATCH if has_caveats and advised is Tier.CALM else advised


def tone_beside(tier: Tier, case_context: CaseContext, *, has_caveats: bool) -> Tier:
    """As ``tone_of``. Under a label that names a malignant disease a calm answer was wrong, and is not green."""
    if case_context.is_confirmed_malignant:
        return Tier.WATCH if tier is Tier.CALM else tier
    return tone_of(case_context.advised(tier), has_caveats=has_caveats)


def heading_beside(tier: Tier, case_context: CaseContext, *, has_caveats: bool) -> str:
    """As ``heading_of``. Where dermatologists speak of danger, a calm answer is told as what the network saw."""
    if tier is Tier.CALM and case_context.speaks_of_danger:
        return missed_in_words(case_context)
    if case_context.is_confirmed_malignant:
        return str(tier.label)
    return heading_of(tier, case_context.advised(tier), has_caveats=has_caveats)


def missed_in_words(case_context: CaseContext) -> str:
    """What a calm answer is called where dermatologists have named something that is, or may be, malignant."""
    if case_context.is_confirmed_malignant:
        return _("The network called it calm and missed it")
    return _("The network saw nothing alarming")


def heading_of(tier: Tier, advised: Tier, *, has_caveats: bool) -> str:
    """The title of an answer: what is advised; a calm one announces what else is known."""
    if tier is Tier.CALM:
        return _("%(title)s, but:") % {"title": tier.label} if has_caveats else str(tier.label)
    return str(advised.label)


def caveats_about(tier: Tier, case_context: CaseContext, *, refused: str = "") -> tuple[Caveat, ...]:
    """Say what speaks against reading ``tier`` alone, the most urgent first.

    Args:
        refused: why the photograph could not be judged, in words; empty where it could.
    """
    caveats = []
    if refused:
        words = _(
            "This photograph could not be judged (%(why)s). A dermatologist had it analysed anyway: no probability "
            "holds for it, and it can give no all-clear."
        )
        caveats.append(Caveat(words % {"why": refused}))
    if case_context.suspected:
        words = _("A dermatologist has called it %(name)s. Reviews have not settled that yet.")
        short = _("a dermatologist has called it %(name)s")
        name = {"name": case_context.suspected}
        caveats.append(Caveat(words % name, short=short % name, is_urgent=True))
    if case_context.suspected_elsewhere:
        words = _("A dermatologist has called another photograph of this lesion %(name)s. It is not settled yet.")
        caveats.append(Caveat(words % {"name": case_context.suspected_elsewhere}, is_urgent=True))
    if case_context.unclear:
        words = (
            _("Dermatologists have named it: %(name)s. It is not known whether that is malignant.")
            if case_context.label
            else _("A dermatologist has called it %(name)s. Reviews have not settled that yet.")
        )
        short = _("%(name)s: not known whether malignant")
        caveats.append(Caveat(words % {"name": case_context.unclear}, short=short % {"name": case_context.unclear}))
    if case_context.is_doubted and not case_context.speaks_of_danger:
        words = _("A dermatologist has looked at it and was not sure what it is.")
        caveats.append(Caveat(words, short=_("a dermatologist was not sure")))
    if worst := case_context.more_urgent_than(tier):
        is_urgent = worst.haste == URGENCY[Tier.URGENT]
        short = _said_shortly(worst)
        caveats.append(Caveat(_said_of(worst), worst.url, short, worst.is_second_hand, is_urgent=is_urgent))
    if case_context.symptoms and tier is Tier.CALM:
        words = _(
            "At this visit the patient said of a spot: %(symptoms)s. If it is this one, a dermatologist should look "
            "at it, whatever the photograph says."
        )
        symptoms = {"symptoms": ", ".join(case_context.symptoms)}
        caveats.append(Caveat(words % symptoms, short=_("the patient said: %(symptoms)s") % symptoms))
    return tuple(caveats)


def caveats_without_answer(case_context: CaseContext) -> tuple[Caveat, ...]:
    """What else is known of a photograph without an answer: everything that would contradict a calm one."""
    return caveats_about(Tier.CALM, case_context)


def tone_without_answer(case_context: CaseContext) -> Tier:
    """The colour and sign in which that is shown."""
    return tone_of(case_context.advised(Tier.CALM), has_caveats=True)


def next_steps(tier: Tier, case_context: CaseContext = NO_CONTEXT, *, is_reliable: bool = True) -> tuple[str, ...]:
    """What to do next, in order, for a patient to read. An answer that is not reliable tells nobody to wait."""
    tier = Tier.URGENT if case_context.is_confirmed_malignant else case_context.advised(tier)
    sooner = _("Go sooner if it bleeds, grows, hurts or changes colour.")
    again = _("Photograph it again in four weeks, in the same light and from the same distance.")
    if tier is Tier.URGENT:
        return (
            _("See a dermatologist within two weeks. They look at it with a dermatoscope and may take a sample."),
            _("Leave the spot as it is: do not scratch, freeze, burn or treat it."),
            sooner,
        )
    if not is_reliable:
        return (
            _("Have a dermatologist look at it; ask for the next ordinary appointment."),
            _("Go without waiting for one if it is new or has changed, or if it bleeds, grows or hurts."),
        )
    if tier is Tier.WATCH:
        return (_("Have a dermatologist look at it; ask for the next ordinary appointment."), again, sooner)
    if case_context.symptoms:
        return (
            _("If this is the spot of which you said “%(symptoms)s”, have a dermatologist look at it soon.")
            % {"symptoms": ", ".join(case_context.symptoms)},
            again,
            _("Do not wait for an appointment if it gets worse."),
        )
    return (
        _("Nothing needs doing today. Photograph it again in three months to see whether it changes."),
        _("See a doctor all the same if it is new, unlike your other spots, or worries you."),
        sooner,
    )


def _said_of(sibling: Sibling) -> str:
    facts = {"date": date_format(sibling.taken_on, "j M Y")}
    if sibling.label and not sibling.suspected:
        words = _("Another photograph of this lesion, of %(date)s, is confirmed as: %(name)s.")
        return words % {**facts, "name": answer_name(sibling.label, sibling.label_text)}
    if sibling.suspected:
        words = _("A dermatologist has called another photograph of this lesion, of %(date)s: %(name)s.")
        return words % {**facts, "name": sibling.suspected}
    words = _("Another photograph of this lesion, of %(date)s, says: %(tier)s. The more urgent answer counts.")
    return words % {**facts, "tier": Tier(sibling.tier).label}


def _said_shortly(sibling: Sibling) -> str:
    if sibling.label and not sibling.suspected:
        words = _("another photograph of this lesion is confirmed as %(name)s")
        return words % {"name": answer_name(sibling.label, sibling.label_text)}
    if sibling.suspected:
        words = _("a dermatologist has called another photograph of this lesion %(name)s")
        return words % {"name": sibling.suspected}
    words = _("another photograph of this lesion says: %(tier)s")
    return words % {"tier": tier_in_short(sibling.tier).lower()}


def tier_in_short(tier: str) -> str:
    """A tier in the few words of a list."""
    return {
        Tier.URGENT: _("See within two weeks"),
        Tier.WATCH: _("Have it looked at"),
        Tier.CALM: _("Nothing alarming"),
    }[Tier(tier)]
