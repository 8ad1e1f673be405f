"""How soon to see a dermatologist: one rule for every page, report and API answer.

An explanation is about a condition in general; a tier weighs all seven classes of one photograph; a dermatologist has
seen the patient. No page may show “see a dermatologist within two weeks” next to “no appointment is needed”, so only
one of the three is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from diagnosis.images.models import Tier
from mlmodel.explanations.explained import Explained
from mlmodel.taxonomy import BY_CODE


class Speaker(StrEnum):
    """The source of a line on urgency."""

    RESULT = "result"
    DERMATOLOGIST = "dermatologist"
    CONDITION = "condition"


@dataclass(frozen=True)
class Urgency:
    """One line on how soon to see a dermatologist."""

    words: str
    speaker: Speaker

    @property
    def is_general(self) -> bool:
        """Whether it is about the condition and not about this patient."""
        return self.speaker is Speaker.CONDITION


def tier_decides(*, tier: str, code: str) -> bool:
    """Return whether a result's tier may be more urgent than the general advice on the condition ``code``."""
    return tier == Tier.URGENT or (tier == Tier.WATCH and not BY_CODE[code].is_malignant)


def urgency_of_condition(explained: Explained) -> Urgency:
    """Return the general urgency of the condition, for use without a result."""
    return Urgency(explained.urgency, Speaker.CONDITION)


def urgency_of_result(explained: Explained, *, tier: str, is_confirmed: bool = False) -> Urgency:
    """Return the urgency shown with a result. A dermatologist's benign label outranks it."""
    if is_confirmed and is_benign_but_urgent(tier=tier, code=explained.code):
        return urgency_of_label(is_malignant=False)
    if tier_decides(tier=tier, code=explained.code):
        return Urgency(_("Your result says: %(tier)s.") % {"tier": Tier(tier).label}, Speaker.RESULT)
    return urgency_of_condition(explained)


def urgency_in_doubt() -> Urgency:
    """Return the urgency where contradictory records leave open what a benign label refers to."""
    return Urgency(_("First clarify what this spot is: its records contradict each other."), Speaker.RESULT)


def care_in_doubt() -> str:
    """Return when to seek care in the same case; it never advises staying at home."""
    return _(
        "This general text may not apply to this spot. Keep every appointment that was planned. Go sooner if the spot "
        "bleeds, grows, hurts or changes."
    )


def is_benign_but_urgent(*, tier: str, code: str) -> bool:
    """Return whether a result is urgent although its condition is benign."""
    return not BY_CODE[code].is_malignant and tier_decides(tier=tier, code=code)


def care_beside_result(explained: Explained, *, tier: str, is_confirmed: bool = False) -> str:
    """Return when to seek care, with a result: an article on a benign condition must not rule out an appointment.

    Args:
        is_confirmed: dermatologists have named the condition.
    """
    if not is_benign_but_urgent(tier=tier, code=explained.code):
        return explained.sections["when_to_seek_care"]
    return care_after_benign_label() if is_confirmed else care_by_the_result()


def care_after_benign_label() -> str:
    """Return when to seek care where the software's result was more urgent than the later label."""
    return _(
        "The software advised having this spot looked at; a dermatologist has looked at it and named it. Keep every "
        "appointment that was planned. Tell your clinic at once if the spot changes, grows, bleeds or hurts."
    )


def care_by_the_result() -> str:
    """Return when to seek care where an urgent result has no dermatologist's label."""
    return _(
        "Follow the plan you were given or, if there is none, the result: it is more urgent than this condition is in "
        "general. Go sooner if the spot bleeds, grows, hurts or changes."
    )


def urgency_in_report(
    explained: Explained, *, unconfirmed: Mapping[str, Sequence[str]], is_confirmed: bool
) -> Urgency:
    """Return the urgency shown where a report explains a condition.

    An unconfirmed result keeps its urgency and is shown with its lesion. A label outranks the software's earlier tier:
    the dermatologist has seen the spot and plans what happens next, whether sooner or later than usual. Only for a
    malignant condition that is also suspected on another lesion is the general urgency still shown.

    Args:
        unconfirmed: by tier, the titles of the lesions with a photograph that has no dermatologist's label and whose
            most probable class is the condition.
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
    """Return the urgency under a dermatologist's label, worded to be true with or without a plan."""
    words = _("Your dermatologist has looked at it, and their plan comes first.")
    if is_malignant:
        words = _(
            "Your dermatologist has looked at it, and their plan comes first. If you have not been told what happens "
            "next and when, call your clinic now."
        )
    return Urgency(words, Speaker.DERMATOLOGIST)
