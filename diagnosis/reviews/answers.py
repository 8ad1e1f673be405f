"""The choices of a review: answer, certainty and basis; and the states of the label that results."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from diagnosis.reviews.diagnoses import BY_CODE
from mlmodel.taxonomy import CODES, Malignancy

OTHER, CANNOT_TELL, NOT_A_LESION = "other", "cannot_tell", "not_a_lesion"
# Free text that its reader called malignant or benign; for ``OTHER`` that is not known.
OTHER_MALIGNANT, OTHER_BENIGN = "other_malignant", "other_benign"
FREE_TEXT = (OTHER, OTHER_MALIGNANT, OTHER_BENIGN)
# The seven classes in the network's order, the other diagnoses, then answers without a diagnosis.
ANSWERS = (*BY_CODE, *FREE_TEXT, CANNOT_TELL, NOT_A_LESION)


# The ``danger_rank`` from which an answer is a cancer, or an early form of one.
PRE_MALIGNANT = 2


def answer_choices() -> list[tuple[str, Any]]:
    """Return every answer with its name. A function, so that migrations refer to it instead of repeating the list."""
    words = {
        OTHER: _("Something else"),
        OTHER_MALIGNANT: _("Something else, malignant"),
        OTHER_BENIGN: _("Something else, benign"),
        CANNOT_TELL: _("Cannot tell"),
        NOT_A_LESION: _("Not a lesion"),
    }
    return [(answer, BY_CODE[answer].name if answer in BY_CODE else words[answer]) for answer in ANSWERS]


class Certainty(models.TextChoices):
    CERTAIN = "certain", _("Certain")
    PROBABLE = "probable", _("Probable")
    UNSURE = "unsure", _("Unsure – settles nothing")


DECIDING = (Certainty.CERTAIN, Certainty.PROBABLE)


class Basis(models.TextChoices):
    """What a diagnosis is based on."""

    HISTOPATHOLOGY = "histopathology", _("Histopathology")
    FOLLOW_UP = "follow_up", _("Follow-up")
    CONSENSUS = "consensus", _("Consensus of dermatologists")
    DERMATOSCOPY = "dermatoscopy", _("Dermatoscopy")


class LabelState(models.TextChoices):
    OPEN = "open", _("Open")
    DISPUTED = "disputed", _("Disputed")
    SETTLED = "settled", _("Settled")


class Why(models.TextChoices):
    """Why a label has its state; see ``diagnosis.reviews.label_rules``."""

    NOTHING_DECIDES = "nothing_decides", _("no opinion decides")
    NEWEST_OPINION = "newest_opinion", _("one reader decides here, and the newest opinion counts")
    SECOND_MISSING = "second_missing", _("one blinded reader has decided, and two are needed")
    READERS_AGREE = "readers_agree", _("blinded readers agree")
    READERS_DIFFER = "readers_differ", _("readers differ, so a third is needed")
    MOST_AGREE = "most_agree", _("most of the blinded readers agree")
    NO_MAJORITY = "no_majority", _("readers differ, so a consensus entered by two, or histopathology, is needed")
    CONSENSUS = "consensus", _("a consensus outranks single opinions")
    HISTOPATHOLOGY = "histopathology", _("histopathology outranks opinions")


class Cause(models.TextChoices):
    """The action that changed a label."""

    REVIEW = "review", _("A review was added")
    RETRACTION = "retraction", _("A review was withdrawn")
    RULE = "rule", _("The clinic's rule for reviews changed")


def is_one_of_the_seven(answer: str) -> bool:
    return answer in CODES


def malignancy_of(answer: str) -> Malignancy | None:
    """Return the malignancy of an answer or label; None if it names no disease or its malignancy was not stated."""
    if answer in BY_CODE:
        return BY_CODE[answer].malignancy
    return {OTHER_MALIGNANT: Malignancy.MALIGNANT, OTHER_BENIGN: Malignancy.BENIGN}.get(answer)


def is_malignant_answer(answer: str) -> bool:
    """Return whether an answer or label names malignant, pre-malignant or in-situ disease."""
    return malignancy_of(answer) in (Malignancy.MALIGNANT, Malignancy.PRE_MALIGNANT)


def is_benign_answer(answer: str) -> bool:
    """Return whether an answer or label names something known to be benign. “Something else” alone does not."""
    return malignancy_of(answer) is Malignancy.BENIGN


def danger_of(answer: str) -> bool | None:
    """Return whether an answer names something dangerous; None if it leaves that open."""
    if answer == CANNOT_TELL or leaves_danger_open(answer):
        return None
    return is_malignant_answer(answer)


def danger_rank(answer: str) -> int:
    """Return 3 for a malignant answer, 2 for pre-malignant or in situ, 1 for unknown malignancy, else 0."""
    if is_malignant_answer(answer):
        return PRE_MALIGNANT + (malignancy_of(answer) is Malignancy.MALIGNANT)
    return int(leaves_danger_open(answer))


def leaves_danger_open(answer: str) -> bool:
    """Return whether an answer names something of unknown malignancy."""
    return answer == OTHER or malignancy_of(answer) is Malignancy.UNCERTAIN
