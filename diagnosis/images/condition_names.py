"""Translated names of conditions: the seven classes and those of ``diagnosis.reviews.diagnoses``."""

from django.utils.translation import gettext as _

from mlmodel.taxonomy import Condition, Malignancy


def condition_name(condition: Condition) -> str:
    names = {
        "akiec": _("Actinic keratosis or Bowen's disease"),
        "bcc": _("Basal cell carcinoma"),
        "bkl": _("Benign keratosis"),
        "df": _("Dermatofibroma"),
        "mel": _("Melanoma"),
        "nv": _("Melanocytic nevus (mole)"),
        "vasc": _("Vascular lesion"),
    }
    return names[condition.code] if condition.code in names else _(condition.name)


def malignancy_name(condition: Condition) -> str:
    return malignancy_words(condition.malignancy)


def malignancy_words(malignancy: Malignancy) -> str:
    return {
        Malignancy.MALIGNANT: _("malignant"),
        Malignancy.PRE_MALIGNANT: _("pre-malignant"),
        Malignancy.UNCERTAIN: _("of uncertain malignant potential"),
        Malignancy.BENIGN: _("benign"),
    }[malignancy]
