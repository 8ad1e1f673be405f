from diagnosis.reviews.models.label import ConfirmedLabel, LabelChange
from diagnosis.reviews.models.lesion_review import Management, ManagementDecision
from diagnosis.reviews.models.outside_reader import OutsideReader
from diagnosis.reviews.models.queue import PhotographOnScreen, QueueEntry, QueueSkip, QueueState, Reason
from diagnosis.reviews.models.reading import ReaderPreference, SeenAnswer
from diagnosis.reviews.models.review import Review, ReviewGroup, ReviewRetraction

__all__ = [
    "ConfirmedLabel",
    "LabelChange",
    "Management",
    "ManagementDecision",
    "OutsideReader",
    "PhotographOnScreen",
    "QueueEntry",
    "QueueSkip",
    "QueueState",
    "ReaderPreference",
    "Reason",
    "Review",
    "ReviewGroup",
    "ReviewRetraction",
    "SeenAnswer",
]
