from diagnosis.outcomes.models.closure import ClosureReason, LesionClosure
from diagnosis.outcomes.models.pathology import (
    INVASIVE_MELANOMA,
    Invasion,
    Margins,
    PathologyResult,
    ResultReview,
    Ulceration,
)
from diagnosis.outcomes.models.specimen import LATE_AFTER, Specimen, SpecimenKind

__all__ = [
    "INVASIVE_MELANOMA",
    "LATE_AFTER",
    "ClosureReason",
    "Invasion",
    "LesionClosure",
    "Margins",
    "PathologyResult",
    "ResultReview",
    "Specimen",
    "SpecimenKind",
    "Ulceration",
]
