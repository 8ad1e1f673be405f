from diagnosis.answers import Basis, Cause, Certainty, LabelState, Why

from .embedding import ImageEmbedding
from .explanation import Explanation, ReadingLevel
from .image import Image, ImageFeatures, QualityOverride, QualityVerdict
from .label import ConfirmedLabel, LabelChange
from .measurement import Measurement, PictureScale
from .prediction import Prediction, Tier
from .queue import QueueEntry, QueueSkip, QueueState, Reason
from .report import Report
from .review import Review, ReviewRetraction
from .watch import Incident, IncidentState, Watched

__all__ = [
    "Basis",
    "Cause",
    "Certainty",
    "ConfirmedLabel",
    "Explanation",
    "Image",
    "ImageEmbedding",
    "ImageFeatures",
    "Incident",
    "IncidentState",
    "LabelChange",
    "LabelState",
    "Measurement",
    "PictureScale",
    "Prediction",
    "QualityOverride",
    "QualityVerdict",
    "QueueEntry",
    "QueueSkip",
    "QueueState",
    "ReadingLevel",
    "Reason",
    "Report",
    "Review",
    "ReviewRetraction",
    "Tier",
    "Watched",
    "Why",
]
