from diagnosis.images.models.answer_settings import AnswerSettings
from diagnosis.images.models.exclusion import Exclusion, ExclusionReason
from diagnosis.images.models.heat_map import HeatMap
from diagnosis.images.models.image import Image, ImageFeatures, ImageQuerySet, QualityOverride, QualityVerdict
from diagnosis.images.models.prediction import Prediction, Tier

__all__ = [
    "AnswerSettings",
    "Exclusion",
    "ExclusionReason",
    "HeatMap",
    "Image",
    "ImageFeatures",
    "ImageQuerySet",
    "Prediction",
    "QualityOverride",
    "QualityVerdict",
    "Tier",
]
