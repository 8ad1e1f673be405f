from diagnosis.images.models.answer_settings import AnswerSettings
from diagnosis.images.models.exclusion import SetAside, SetAsideReason
from diagnosis.images.models.heat_map import HeatMap
from diagnosis.images.models.image import Image, ImageFeatures, ImageQuerySet, QualityOverride, QualityVerdict
from diagnosis.images.models.prediction import Prediction, Tier

__all__ = [
    "AnswerSettings",
    "HeatMap",
    "Image",
    "ImageFeatures",
    "ImageQuerySet",
    "Prediction",
    "QualityOverride",
    "QualityVerdict",
    "SetAside",
    "SetAsideReason",
    "Tier",
]
