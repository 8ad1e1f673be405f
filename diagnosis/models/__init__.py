from .explanation import Explanation, ReadingLevel
from .image import Image, ImageFeatures, QualityOverride, QualityVerdict
from .prediction import Prediction, Tier
from .report import Report
from .review import Certainty, Review

__all__ = [
    "Certainty",
    "Explanation",
    "Image",
    "ImageFeatures",
    "Prediction",
    "QualityOverride",
    "QualityVerdict",
    "ReadingLevel",
    "Report",
    "Review",
    "Tier",
]
