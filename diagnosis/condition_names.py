"""The seven conditions in people's words, translated. Codes are those of ``mlmodel.taxonomy``."""

from django.utils.translation import gettext as _

from mlmodel.taxonomy import Condition, Malignancy


def condition_name(condition: Condition) -> str:
    return {
        "akiec": _("Actinic keratosis or Bowen's disease"),
        "bcc": _("Basal cell carcinoma"),
        "bkl": _("Benign keratosis"),
        "df": _("Dermatofibroma"),
        "mel": _("Melanoma"),
        "nv": _("Melanocytic nevus (mole)"),
        "vasc": _("Vascular lesion"),
    }[condition.code]


def malignancy_name(condition: Condition) -> str:
    return {
        Malignancy.MALIGNANT: _("malignant"),
        Malignancy.PRE_MALIGNANT: _("pre-malignant"),
        Malignancy.BENIGN: _("benign"),
    }[condition.malignancy]
