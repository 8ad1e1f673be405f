"""The words of a review: what can be said of a photograph, how surely, how it is known, and what comes of it."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from diagnosis.reviews.diagnoses import BY_CODE
from mlmodel.taxonomy import CODES, Malignancy

OTHER, CANNOT_TELL, NOT_A_LESION = "other", "cannot_tell", "not_a_lesion"
# Free text whose reader says how dangerous it is; of ``OTHER`` that is not known.
OTHER_MALIGNANT, OTHER_BENIGN = "other_malignant", "other_benign"
FREE_TEXT = (OTHER, OTHER_MALIGNANT, OTHER_BENIGN)
# The seven classes in the network's order, the other diagnoses in their list's, then what names none.
ANSWERS = (*BY_CODE, *FREE_TEXT, CANNOT_TELL, NOT_A_LESION)


# As ``danger_rank`` counts: from here on it is a cancer, or an early form of one.
PRE_MALIGNANT = 2


def answer_choices() -> list[tuple[str, Any]]:
    """Every answer in words. A function, so that migrations name it and do not repeat the list."""
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
    """How the reader knows."""

    HISTOPATHOLOGY = "histopathology", _("Histopathology")
    FOLLOW_UP = "follow_up", _("Follow-up")
    CONSENSUS = "consensus", _("Consensus of dermatologists")
    DERMATOSCOPY = "dermatoscopy", _("Dermatoscopy")


class LabelState(models.TextChoices):
    OPEN = "open", _("Open")
    DISPUTED = "disputed", _("Disputed")
    SETTLED = "settled", _("Settled")


class Why(models.TextChoices):
    """What makes a label what it is; see ``diagnosis.reviews.label_rules``."""

    NOTHING_DECIDES = "nothing_decides", _("no opinion decides")
    NEWEST_OPINION = "newest_opinion", _("one reader decides here, and the newest opinion counts")
    SECOND_MISSING = "second_missing", _("one blinded reader has decided, and it takes two")
    READERS_AGREE = "readers_agree", _("blinded readers agree")
    READERS_DIFFER = "readers_differ", _("readers differ, so a third is asked")
    MOST_AGREE = "most_agree", _("most of the blinded readers agree")
    NO_MAJORITY = "no_majority", _("readers differ, so it takes a consensus that two enter, or histopathology")
    CONSENSUS = "consensus", _("a consensus outranks single opinions")
    HISTOPATHOLOGY = "histopathology", _("histopathology outranks opinions")


class Cause(models.TextChoices):
    """What was done that changed a label."""

    REVIEW = "review", _("A review was added")
    RETRACTION = "retraction", _("A review was taken back")
    RULE = "rule", _("The clinic's rule for reviews changed")


def is_one_of_the_seven(answer: str) -> bool:
    return answer in CODES


def malignancy_of(answer: str) -> Malignancy | None:
    """How dangerous an answer or label is; None where it names no disease or nobody said how dangerous it is."""
    if answer in BY_CODE:
        return BY_CODE[answer].malignancy
    return {OTHER_MALIGNANT: Malignancy.MALIGNANT, OTHER_BENIGN: Malignancy.BENIGN}.get(answer)


def is_malignant_answer(answer: str) -> bool:
    """Whether an answer or label names malignant, pre-malignant or in-situ disease: one of the seven or any other."""
    return malignancy_of(answer) in (Malignancy.MALIGNANT, Malignancy.PRE_MALIGNANT)


def is_benign_answer(answer: str) -> bool:
    """Whether an answer or label names something known to be harmless. “Something else” alone does not."""
    return malignancy_of(answer) is Malignancy.BENIGN


def danger_of(answer: str) -> bool | None:
    """Whether an answer says that there is something dangerous; None where it does not say."""
    if answer == CANNOT_TELL or leaves_danger_open(answer):
        return None
    return is_malignant_answer(answer)


def danger_rank(answer: str) -> int:
    """How much danger an answer names: 3 if malignant, 2 if pre-malignant or in situ, 1 if not known, else 0."""
    if is_malignant_answer(answer):
        return PRE_MALIGNANT + (malignancy_of(answer) is Malignancy.MALIGNANT)
    return int(leaves_danger_open(answer))


def leaves_danger_open(answer: str) -> bool:
    """Whether an answer names something of which it is not known whether it is malignant."""
    return answer == OTHER or malignancy_of(answer) is Malignancy.UNCERTAIN
