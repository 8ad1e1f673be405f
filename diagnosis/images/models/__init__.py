from diagnosis.images.models.answer_settings import AnswerSettings
from diagnosis.images.models.device import Device, DeviceCalibration
from diagnosis.images.models.exclusion import Exclusion, ExclusionReason
from diagnosis.images.models.full_picture import FullPicture
from diagnosis.images.models.heat_map import HeatMap
from diagnosis.images.models.image import Image, ImageFeatures, ImageQuerySet, QualityOverride, QualityVerdict
from diagnosis.images.models.photograph_facts import PhotographFacts, TimeSource
from diagnosis.images.models.prediction import Prediction, Tier

__all__ = [
    "AnswerSettings",
    "Device",
    "DeviceCalibration",
    "Exclusion",
    "ExclusionReason",
    "FullPicture",
    "HeatMap",
    "Image",
    "ImageFeatures",
    "ImageQuerySet",
    "PhotographFacts",
    "Prediction",
    "QualityOverride",
    "QualityVerdict",
    "Tier",
    "TimeSource",
]
