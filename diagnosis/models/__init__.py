from .embedding import ImageEmbedding
from .explanation import Explanation, ReadingLevel
from .image import Image, ImageFeatures, QualityOverride, QualityVerdict
from .measurement import Measurement, PictureScale
from .prediction import Prediction, Tier
from .report import Report
from .review import Certainty, Review

__all__ = [
    "Certainty",
    "Explanation",
    "Image",
    "ImageEmbedding",
    "ImageFeatures",
    "Measurement",
    "PictureScale",
    "Prediction",
    "QualityOverride",
    "QualityVerdict",
    "ReadingLevel",
    "Report",
    "Review",
    "Tier",
]
