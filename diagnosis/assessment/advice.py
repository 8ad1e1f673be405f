"""Advice on what to do next, from the photograph's tier and from what else is known.

The network reads each photograph alone. The lesion's symptoms, its other photographs and the patient's risk may call
for more urgency; the page then says so at once and bases its advice on that. The network's answer is never changed.

Of the risk facts only a previous melanoma and immunosuppression count here, and only against a calm answer: these
patients are examined for life whatever one photograph shows, and the network does not know squamous cell carcinoma,
the commonest skin cancer after a transplant. The other facts are only shown: they are too common to cast doubt on
every calm answer. No fact, and no lack of one, ever makes an answer calmer.
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
        tier: of the answer that is shown; empty if it was not analysed.
        label: the settled answer of dermatologists; empty if there is none.
        label_text: their own words, if the label is “something else”.
        suspected: a malignant condition that one reader named and reviews have not settled, in words.
        is_calibrated: its answer can be relied on: taken with a dermatoscope, and passed the quality check.
    """

    taken_on: datetime.date
    tier: str
    label: str = ""
    label_text: str = ""
    suspected: str = ""
    url: str = ""
    is_calibrated: bool = True

    @property
    def urgency(self) -> int:
        """How urgent it is, as in ``URGENCY``. A label outranks the tier, unless it leaves malignancy open."""
        if is_malignant_answer(self.label) or self.suspected:
            return URGENCY[Tier.URGENT]
        by_tier = URGENCY[Tier(self.tier)] if self.tier else 0
        if leaves_danger_open(self.label):
            return max(URGENCY[Tier.WATCH], by_tier)
        return 0 if self.label else by_tier

    @property
    def code(self) -> str:
        """What a caveat about it rests on: a label, a suspicion, or the network's answer."""
        if self.suspected:
            return "other_photograph_suspected"
        return "other_photograph_confirmed" if self.label else "other_photograph_assessed"

    @property
    def evidence_rank(self) -> int:
        """How strong the evidence is: a malignant label, a suspicion, another label, or the network's answer."""
        if is_malignant_answer(self.label):
            return 4
        return 3 if self.suspected else 2 if self.label else int(self.is_calibrated)

    @property
    def is_second_hand(self) -> bool:
        """Whether its urgency rests only on an answer of the network that cannot be relied on."""
        return not (self.is_calibrated or self.label or self.suspected)


@dataclass(frozen=True)
class CaseContext:
    """What else is known about the lesion of one photograph.

    Attributes:
        symptoms: those of the lesion at that visit that call for a dermatologist in any case, in words.
        visit_symptoms: the same of an earlier visit as a whole, of which the lesion was not recorded.
        risks: facts about the patient that make a calm answer no reason to wait, in words.
        siblings: the lesion's other photographs.
        suspected: a malignant condition that a dermatologist named and reviews have not settled, in words.
        unclear: a condition of unknown malignancy that a dermatologist named, in words.
        is_doubted: a dermatologist was not sure what it is, or could not tell.
        label: the settled answer of dermatologists. If it says how dangerous the lesion is, no other field is set but
            ``suspected_elsewhere``; if it does not, all warnings stay.
        suspected_elsewhere: with a benign label, a malignant condition that a dermatologist named on another
            photograph of the lesion and reviews have not settled, in words.
    """

    symptoms: Sequence[str] = ()
    visit_symptoms: Sequence[str] = ()
    risks: Sequence[str] = ()
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
        """Whether dermatologists named something that is or may be malignant: a calm answer must not reassure."""
        return bool(self.is_confirmed_malignant or self.is_suspected or self.unclear)

    @property
    def is_suspected(self) -> bool:
        """Whether a dermatologist suspects malignancy, on this photograph or, against its label, on another."""
        return bool(self.suspected or self.suspected_elsewhere)

    @property
    def is_explained_by_labels(self) -> bool:
        """Whether dermatologists' answers about this photograph are as urgent as everything else that is known."""
        if self.is_confirmed_malignant or self.is_suspected:
            return True
        return bool(self.unclear) and self.advised(Tier.CALM) is not Tier.URGENT

    def advised(self, tier: Tier) -> Tier:
        """Return the tier of the advice: the photograph's, or a more urgent one from what else is known."""
        if self.is_suspected:
            return Tier.URGENT
        worst = self.more_urgent_than(tier)
        if worst is not None:
            return next(each for each, urgency in URGENCY.items() if urgency == worst.urgency)
        return Tier.WATCH if self.unclear and tier is Tier.CALM else tier

    def explained_as(self, tier: Tier) -> Tier:
        """Return the tier shown with an article: the advised one, but never calm with warning symptoms or a risk."""
        advised = self.advised(tier)
        is_warned = bool(self.symptoms or self.visit_symptoms or self.risks)
        return Tier.WATCH if advised is Tier.CALM and is_warned else advised

    def more_urgent_than(self, tier: Tier) -> Sibling | None:
        """Return the most urgent sibling, the one with the strongest evidence first, if it outranks ``tier``."""
        worst = max(self.siblings, key=lambda each: (each.urgency, each.evidence_rank, each.taken_on), default=None)
        return worst if worst is not None and worst.urgency > URGENCY[tier] else None


@dataclass(frozen=True)
class Caveat:
    """A warning that a photograph's answer is not all that counts; ``url`` leads to its subject.

    Attributes:
        code: the reason, for programs and tests.
        short: the same for a list, after “Warning:”; empty if lists show it in another way.
        is_second_hand: it comes from another photograph's answer that cannot be relied on.
        is_urgent: it calls for the urgent tier.
    """

    code: str
    words: str
    url: str = ""
    short: str = ""
    is_second_hand: bool = False
    is_urgent: bool = False


NO_CONTEXT = CaseContext()


def contradicts_tier(answer: str, tier: str) -> bool:
    """Whether an answer and the network's tier contradict each other about malignancy.

    That is a malignant answer with a calm tier, or a benign one with an urgent tier.
    """
    return tier == Tier.CALM if is_malignant_answer(answer) else tier == Tier.URGENT and is_benign_answer(answer)


def tone_of(advised: Tier, *, has_caveats: bool) -> Tier:
    """Return the tone of an answer, its colour and mark: the advice's, and calm only if there are no caveats."""
    return Tier.WATCH if has_caveats and advised is Tier.CALM else advised


def tone_beside(tier: Tier, case_context: CaseContext, *, has_caveats: bool) -> Tier:
    """Return the tone as ``tone_of``, but never calm under a malignant label: the calm answer was wrong."""
    if case_context.is_confirmed_malignant:
        return Tier.WATCH if tier is Tier.CALM else tier
    return tone_of(case_context.advised(tier), has_caveats=has_caveats)


def heading_beside(tier: Tier, case_context: CaseContext, *, has_caveats: bool) -> str:
    """Return the heading as ``heading_of``; a calm answer against dermatologists is worded as the network's miss."""
    if tier is Tier.CALM and case_context.speaks_of_danger:
        return missed_in_words(case_context)
    if case_context.is_confirmed_malignant:
        return str(tier.label)
    return heading_of(tier, case_context.advised(tier), has_caveats=has_caveats)


def missed_in_words(case_context: CaseContext) -> str:
    """Return the heading of a calm answer where dermatologists named something that is or may be malignant."""
    if case_context.is_confirmed_malignant:
        return _("The network called it calm and missed it")
    return _("The network saw nothing alarming")


def heading_of(tier: Tier, advised: Tier, *, has_caveats: bool) -> str:
    """Return the title of an answer: the advised tier; a calm one announces caveats."""
    if tier is Tier.CALM:
        return _("%(title)s, but:") % {"title": tier.label} if has_caveats else str(tier.label)
    return str(advised.label)


def caveats_about(tier: Tier, case_context: CaseContext, *, refused: str = "") -> tuple[Caveat, ...]:
    """Return the reasons not to rely on ``tier`` alone, the most urgent first.

    Args:
        refused: why the quality check refused the photograph, in words; empty if it passed.
    """
    caveats = []
    if refused:
        words = _(
            "This photograph failed the quality check (%(why)s). A dermatologist had it analysed anyway: its "
            "probabilities are not valid, and it cannot give an all-clear."
        )
        caveats.append(Caveat("failed_quality_check", words % {"why": refused}))
    if case_context.suspected:
        words = _("A dermatologist has called it %(name)s. Reviews have not settled that yet.")
        short = _("a dermatologist has called it %(name)s")
        name = {"name": case_context.suspected}
        caveats.append(Caveat("suspected", words % name, short=short % name, is_urgent=True))
    if case_context.suspected_elsewhere:
        words = _("A dermatologist has called another photograph of this lesion %(name)s. It is not settled yet.")
        name = {"name": case_context.suspected_elsewhere}
        caveats.append(Caveat("suspected_elsewhere", words % name, is_urgent=True))
    if case_context.unclear:
        words = (
            _("Dermatologists have called it %(name)s. It is not known whether that is malignant.")
            if case_context.label
            else _("A dermatologist has called it %(name)s. Reviews have not settled that yet.")
        )
        short = _("%(name)s: not known whether it is malignant")
        name = {"name": case_context.unclear}
        caveats.append(Caveat("not_settled", words % name, short=short % name))
    if case_context.is_doubted and not case_context.speaks_of_danger:
        words = _("A dermatologist has looked at it and was not sure what it is.")
        caveats.append(Caveat("not_sure", words, short=_("a dermatologist was not sure")))
    if worst := case_context.more_urgent_than(tier):
        is_urgent = worst.urgency == URGENCY[Tier.URGENT]
        words, short, code = _warning(worst), _short_warning(worst), worst.code
        caveats.append(Caveat(code, words, worst.url, short, worst.is_second_hand, is_urgent=is_urgent))
    if tier is Tier.CALM:
        caveats += _caveats_of_the_patient(case_context)
    return tuple(caveats)


def _caveats_of_the_patient(case_context: CaseContext) -> list[Caveat]:
    """Return the caveats from what the patient reports and from their risk; both only speak against a calm answer."""
    caveats = []
    short = _("the patient reported: %(symptoms)s")
    if case_context.symptoms:
        words = _(
            "At this visit the patient reported of this spot: %(symptoms)s. A dermatologist should look at it, "
            "whatever the photograph shows."
        )
        symptoms = {"symptoms": ", ".join(case_context.symptoms)}
        caveats.append(Caveat("symptoms", words % symptoms, short=short % symptoms))
    if case_context.visit_symptoms:
        words = _(
            "At this visit the patient reported symptoms of a spot: %(symptoms)s. Which spot was not recorded, so a "
            "dermatologist should look at this one too, whatever the photograph shows."
        )
        symptoms = {"symptoms": ", ".join(case_context.visit_symptoms)}
        caveats.append(Caveat("symptoms_of_the_visit", words % symptoms, short=short % symptoms))
    if case_context.risks:
        words = _(
            "The patient's record says: %(risks)s. A dermatologist should look at this spot, whatever the photograph "
            "shows."
        )
        risks = {"risks": ", ".join(case_context.risks)}
        caveats.append(Caveat("risk", words % risks, short=_("raised risk: %(risks)s") % risks))
    return caveats


def caveats_without_answer(case_context: CaseContext) -> tuple[Caveat, ...]:
    """Return the caveats for a photograph without an answer: everything that would contradict a calm one."""
    return caveats_about(Tier.CALM, case_context)


def tone_without_answer(case_context: CaseContext) -> Tier:
    """Return the tone of a photograph without an answer."""
    return tone_of(case_context.advised(Tier.CALM), has_caveats=True)


def next_steps(tier: Tier, case_context: CaseContext = NO_CONTEXT, *, is_reliable: bool = True) -> tuple[str, ...]:
    """Return what to do next, in order, in words for patients. An unreliable answer never advises waiting."""
    tier = Tier.URGENT if case_context.is_confirmed_malignant else case_context.advised(tier)
    sooner = _("Go sooner if it bleeds, grows, hurts or changes colour.")
    again = _("Photograph it again in four weeks, in the same light and from the same distance.")
    if tier is Tier.URGENT:
        return (
            _("See a dermatologist within two weeks. They will examine it with a dermatoscope and may take a sample."),
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
    if first := _first_step_of_the_patient(case_context):
        return (first, again, _("Do not wait for an appointment if it gets worse."))
    return (
        _("Nothing needs doing today. Photograph it again in three months to see whether it changes."),
        _("Still see a doctor if it is new, unlike your other spots, or worries you."),
        sooner,
    )


def _first_step_of_the_patient(case_context: CaseContext) -> str:
    """Return what to do first about symptoms or a risk under a calm answer; empty if there is neither."""
    if case_context.symptoms:
        words = _("You reported of this spot: %(symptoms)s. Have a dermatologist look at it soon.")
        return words % {"symptoms": ", ".join(case_context.symptoms)}
    if case_context.visit_symptoms:
        words = _(
            "You reported of a spot: %(symptoms)s. Have a dermatologist look at this one soon, unless you know that "
            "it is another."
        )
        return words % {"symptoms": ", ".join(case_context.visit_symptoms)}
    if case_context.risks:
        return _("Have a dermatologist look at it at your next skin check, and keep every check that is planned.")
    return ""


def _warning(sibling: Sibling) -> str:
    facts = {"date": date_format(sibling.taken_on, "j M Y")}
    if sibling.label and not sibling.suspected:
        words = _("Another photograph of this lesion, from %(date)s, is confirmed as: %(name)s.")
        return words % {**facts, "name": answer_name(sibling.label, sibling.label_text)}
    if sibling.suspected:
        words = _("A dermatologist has called another photograph of this lesion, from %(date)s, %(name)s.")
        return words % {**facts, "name": sibling.suspected}
    words = _("Another photograph of this lesion, from %(date)s, says: %(tier)s. The more urgent answer counts.")
    return words % {**facts, "tier": Tier(sibling.tier).label}


def _short_warning(sibling: Sibling) -> str:
    if sibling.label and not sibling.suspected:
        words = _("another photograph of this lesion is confirmed as %(name)s")
        return words % {"name": answer_name(sibling.label, sibling.label_text)}
    if sibling.suspected:
        words = _("a dermatologist has called another photograph of this lesion %(name)s")
        return words % {"name": sibling.suspected}
    words = _("another photograph of this lesion says: %(tier)s")
    return words % {"tier": tier_in_short(sibling.tier).lower()}


def tier_in_short(tier: str) -> str:
    """Return a tier in a few words, for a list."""
    return {
        Tier.URGENT: _("See within two weeks"),
        Tier.WATCH: _("Have it looked at"),
        Tier.CALM: _("Nothing alarming"),
    }[Tier(tier)]
