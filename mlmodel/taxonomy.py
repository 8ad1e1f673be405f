"""The seven classes of HAM10000 with their properties. This is the only place that lists them.

Codes: Tschandl, Rosendahl, Kittler, Sci. Data 5:180161 (2018). ICD-10: WHO 2019 release. SNOMED CT: international
edition, disorder hierarchy.
"""

from dataclasses import dataclass
from enum import StrEnum

from mlmodel.texts import gettext_noop as _


class Malignancy(StrEnum):
    MALIGNANT = "malignant"
    PRE_MALIGNANT = "pre-malignant"
    UNCERTAIN = "uncertain"  # for none of the seven; pathologists use it where they cannot exclude malignancy
    BENIGN = "benign"


@dataclass(frozen=True)
class Condition:
    """One class: HAM10000 code, English name (marked for translation), malignancy, ICD-10, SNOMED CT."""

    code: str
    name: str
    malignancy: Malignancy
    icd10: str
    snomed_ct: str

    @property
    def is_malignant(self) -> bool:
        """True for malignant, pre-malignant and in-situ disease, which must not be missed."""
        return self.malignancy in (Malignancy.MALIGNANT, Malignancy.PRE_MALIGNANT)


CONDITIONS: tuple[Condition, ...] = (
    Condition("akiec", _("Actinic keratosis or Bowen's disease"), Malignancy.PRE_MALIGNANT, "L57.0", "201101007"),
    Condition("bcc", _("Basal cell carcinoma"), Malignancy.MALIGNANT, "C44.9", "254701007"),
    Condition("bkl", _("Benign keratosis"), Malignancy.BENIGN, "L82", "25499005"),
    Condition("df", _("Dermatofibroma"), Malignancy.BENIGN, "D23.9", "72079006"),
    Condition("mel", _("Melanoma"), Malignancy.MALIGNANT, "C43.9", "372244006"),
    Condition("nv", _("Melanocytic nevus"), Malignancy.BENIGN, "D22.9", "400010006"),
    Condition("vasc", _("Vascular lesion"), Malignancy.BENIGN, "D18.0", "400210000"),
)
CODES: tuple[str, ...] = tuple(condition.code for condition in CONDITIONS)
BY_CODE: dict[str, Condition] = {condition.code: condition for condition in CONDITIONS}
MALIGNANT_CODES: tuple[str, ...] = tuple(condition.code for condition in CONDITIONS if condition.is_malignant)

# The column order of the ISIC 2018 challenge's submission files.
ISIC_ORDER: tuple[str, ...] = ("mel", "nv", "bcc", "akiec", "bkl", "df", "vasc")
