from diagnosis.answers import Basis, Cause, Certainty, LabelState, Why

from .answer_settings import AnswerSettings
from .embedding import ImageEmbedding
from .explanation import Explanation, ReadingLevel
from .heat_map import HeatMap
from .image import Image, ImageFeatures, QualityOverride, QualityVerdict
from .label import ConfirmedLabel, LabelChange
from .measurement import Measurement, PictureScale
from .prediction import Prediction, Tier
from .proposal import Needs, ProposalState, VersionProposal
from .queue import PhotographOnScreen, QueueEntry, QueueSkip, QueueState, Reason
from .report import Addendum, Report
from .retraining import (
    ManifestEntry,
    Part,
    RunMessage,
    RunStatus,
    TestAssignment,
    TrainingRun,
    versions_that_used,
)
from .review import Review, ReviewRetraction
from .set_aside import SetAside, SetAsideReason
from .watch import Incident, IncidentState, WatchDay, Watched
from .withholding import Withholding, WithholdingReason

__all__ = [
    "Addendum",
    "AnswerSettings",
    "Basis",
    "Cause",
    "Certainty",
    "ConfirmedLabel",
    "Explanation",
    "HeatMap",
    "Image",
    "ImageEmbedding",
    "ImageFeatures",
    "Incident",
    "IncidentState",
    "LabelChange",
    "LabelState",
    "ManifestEntry",
    "Measurement",
    "Needs",
    "Part",
    "PhotographOnScreen",
    "PictureScale",
    "Prediction",
    "ProposalState",
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
    "RunMessage",
    "RunStatus",
    "SetAside",
    "SetAsideReason",
    "TestAssignment",
    "Tier",
    "TrainingRun",
    "VersionProposal",
    "WatchDay",
    "Watched",
    "Why",
    "Withholding",
    "WithholdingReason",
    "versions_that_used",
]
