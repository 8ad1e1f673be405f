"""Translated names of conditions: the seven classes and those of ``diagnosis.reviews.diagnoses``."""

from django.utils.translation import gettext as _

from mlmodel.taxonomy import Condition, Malignancy


def condition_name(condition: Condition) -> str:
    return _("Melanocytic nevus (mole)") if condition.code == "nv" else _(condition.name)


def malignancy_name(condition: Condition) -> str:
    return malignancy_words(condition.malignancy)


def malignancy_words(malignancy: Malignancy) -> str:
    return {
        Malignancy.MALIGNANT: _("malignant"),
        Malignancy.PRE_MALIGNANT: _("pre-malignant"),
        Malignancy.UNCERTAIN: _("of uncertain malignant potential"),
        Malignancy.BENIGN: _("benign"),
    }[malignancy]
