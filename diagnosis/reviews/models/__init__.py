from diagnosis.reviews.models.label import ConfirmedLabel, LabelChange
from diagnosis.reviews.models.outside_reader import OutsideReader
from diagnosis.reviews.models.queue import PhotographOnScreen, QueueEntry, QueueSkip, QueueState, Reason
from diagnosis.reviews.models.review import Review, ReviewRetraction

__all__ = [
    "ConfirmedLabel",
    "LabelChange",
    "OutsideReader",
    "PhotographOnScreen",
    "QueueEntry",
    "QueueSkip",
    "QueueState",
    "Reason",
    "Review",
    "ReviewRetraction",
]
