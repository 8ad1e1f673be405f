"""How soon to be seen: one rule for every page, report and answer.

An explanation speaks of one condition in general; a tier weighs all seven classes of one photograph; a dermatologist
has seen the patient. Nobody may read “see a dermatologist within two weeks” and “no appointment is needed” side by
side, so one of the three speaks and the others are silent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from diagnosis.images.models import Tier
from mlmodel.explanations.explained import Explained
from mlmodel.taxonomy import BY_CODE


class Speaker(StrEnum):
    """Whose word on the haste it is."""

    RESULT = "result"
    DERMATOLOGIST = "dermatologist"
    CONDITION = "condition"


@dataclass(frozen=True)
class Urgency:
    """One line on how soon to be seen."""

    words: str
    speaker: Speaker

    @property
    def is_general(self) -> bool:
        """Whether it is said of the condition and not of this patient."""
        return self.speaker is Speaker.CONDITION


def tier_decides(*, tier: str, code: str) -> bool:
    """Tell whether a result's tier may ask for more haste than what is said in general of the condition ``code``."""
    return tier == Tier.URGENT or (tier == Tier.WATCH and not BY_CODE[code].is_malignant)


def urgency_of_condition(explained: Explained) -> Urgency:
    """Say what is true of the condition in general, where no result is at hand."""
    return Urgency(explained.urgency, Speaker.CONDITION)


def urgency_of_result(explained: Explained, *, tier: str, is_confirmed: bool = False) -> Urgency:
    """Say how soon to be seen beside a result; who has named something harmless has the last word on it."""
    if is_confirmed and is_harmless_beside_haste(tier=tier, code=explained.code):
        return urgency_of_label(is_malignant=False)
    if tier_decides(tier=tier, code=explained.code):
        return Urgency(_("Your result says: %(tier)s.") % {"tier": Tier(tier).label}, Speaker.RESULT)
    return urgency_of_condition(explained)


def urgency_in_doubt() -> Urgency:
    """Say how soon to be seen where it is not certain what a harmless name was given to."""
    return Urgency(_("First clarify what this spot is: what is recorded of it is contradictory."), Speaker.RESULT)


def care_in_doubt() -> str:
    """When to seek care, in the same case: nobody is told to stay at home."""
    return _(
        "What is said here in general may not be about this spot. Keep every appointment that was planned. Go sooner "
        "if the spot bleeds, grows, hurts or changes."
    )


def is_harmless_beside_haste(*, tier: str, code: str) -> bool:
    """Whether a result asks for haste about a condition that asks for none."""
    return not BY_CODE[code].is_malignant and tier_decides(tier=tier, code=code)


def care_beside_result(explained: Explained, *, tier: str, is_confirmed: bool = False) -> str:
    """When to seek care, beside a result: what is harmless in general does not say that no appointment is needed.

    Args:
        is_confirmed: dermatologists have named the condition.
    """
    if not is_harmless_beside_haste(tier=tier, code=explained.code):
        return explained.sections["when_to_seek_care"]
    return care_after_a_harmless_label() if is_confirmed else care_by_the_result()


def care_after_a_harmless_label() -> str:
    """When to seek care where the software asked for more haste than the label that followed."""
    return _(
        "The software asked for this spot to be looked at; a dermatologist has looked at it and named it. Keep every "
        "appointment that was planned. Say at once if the spot changes, grows, bleeds or hurts."
    )


def care_by_the_result() -> str:
    """When to seek care where nobody has answered a result that asks for haste."""
    return _(
        "Do as was planned or, where nothing is planned, as the result says: it asks for more than this condition "
        "does in general. Go sooner if the spot bleeds, grows, hurts or changes."
    )


def urgency_in_report(
    explained: Explained, *, unconfirmed: Mapping[str, Sequence[str]], is_confirmed: bool
) -> Urgency:
    """Say how soon to be seen where a report explains a condition.

    A result that nobody has confirmed keeps its haste, and is named with its lesion. A label outranks the software's
    earlier tier: the dermatologist has seen the spot, and plans what happens next, be it sooner or later than
    what is usual. Only a malignant condition that is also suspected elsewhere still speaks for itself.

    Args:
        unconfirmed: by tier, the titles of the lesions with a photograph that has no dermatologist's label and whose
            likeliest class is the condition.
        is_confirmed: whether a dermatologist gave this label to any photograph.
    """
    for tier in (Tier.URGENT, Tier.WATCH):
        if unconfirmed.get(tier) and tier_decides(tier=tier, code=explained.code):
            words = _("The result of %(lesions)s says: %(tier)s.")
            return Urgency(words % {"lesions": ", ".join(unconfirmed[tier]), "tier": tier.label}, Speaker.RESULT)
    if is_confirmed and not (unconfirmed and BY_CODE[explained.code].is_malignant):
        return urgency_of_label(is_malignant=BY_CODE[explained.code].is_malignant)
    return urgency_of_condition(explained)


def urgency_of_label(*, is_malignant: bool) -> Urgency:
    """Point to the dermatologist who has named a condition; true with a plan and without one."""
    words = _("Your dermatologist has looked at it, and what they plan comes first.")
    if is_malignant:
        words = _(
            "Your dermatologist has looked at it, and what they plan comes first. If you have not been told what "
            "happens next and when, call your clinic now."
        )
    return Urgency(words, Speaker.DERMATOLOGIST)
