"""How reviews are said."""

from django.utils.translation import gettext as _

from diagnosis.answers import CANNOT_TELL, NOT_A_LESION, OTHER
from diagnosis.presentation import condition_name
from mlmodel.taxonomy import BY_CODE
from patients.models import Clinic, ReviewRule


def answer_name(answer: str, other_text: str = "") -> str:
    """A review's answer: one of the seven by its name, or what is none of them."""
    if answer in BY_CODE:
        return condition_name(BY_CODE[answer])
    name = {
        OTHER: _("Something else"),
        CANNOT_TELL: _("Cannot tell"),
        NOT_A_LESION: _("Not a lesion"),
    }[answer]
    return f"{name}: {other_text}" if other_text else name


def rule_hint(clinic: Clinic) -> str:
    """What a review that is made on a result's page counts for under the clinic's rule."""
    if clinic.review_rule == ReviewRule.TWO_BLINDED_READERS:
        return _(
            "Two blinded readers settle a label here, and you have seen the network's answer: what you say is kept, "
            "but decides only as histopathology or consensus. For a blinded opinion use the review queue."
        )
    return _("Reviews are kept for good. To change your mind, add another; the newest one counts.")
