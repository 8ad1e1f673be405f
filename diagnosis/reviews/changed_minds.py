"""How often readers changed their blinded answer once they had seen the network's, and in which direction."""

import datetime
from dataclasses import dataclass
from uuid import UUID

from django.db.models import OuterRef, Subquery

from diagnosis.images.models import Prediction
from diagnosis.reviews.agreement import MOST_OPINIONS, own_opinions
from diagnosis.reviews.label_rules import diagnosis_of
from diagnosis.reviews.models.review import ReviewQuerySet


@dataclass(frozen=True)
class ChangedMinds:
    """Photographs that a reader answered blinded and again after seeing the network's answer.

    Attributes:
        towards: changed to the network's most probable class.
        away: changed from it to something else.
        otherwise: changed between two answers that are not the network's.
    """

    again: int = 0
    towards: int = 0
    away: int = 0
    otherwise: int = 0

    @property
    def changed(self) -> int:
        return self.towards + self.away + self.otherwise


def changed_minds(*, reviews: ReviewQuerySet, since: datetime.datetime | None) -> ChangedMinds:
    """Return how a reader's newest blinded answer and the newest one after it differ, over all photographs."""
    shown = Prediction.objects.shown().that_could_be_judged().filter(image=OuterRef("image")).order_by()
    rows = own_opinions(reviews, since=since).newest_first()
    columns = rows.values_list(
        "image_id", "reviewer_id", "answer", "other_text", "was_blinded", Subquery(shown.values("code")[:1])
    )
    blinded: dict[tuple[UUID, UUID], str] = {}
    after: dict[tuple[UUID, UUID], tuple[str, str]] = {}
    for image, reader, answer, text, was_blinded, code in reversed(columns[:MOST_OPINIONS]):
        words = " ".join(diagnosis_of(answer, text)).strip()
        if was_blinded:
            blinded[image, reader] = words
            after.pop((image, reader), None)
        elif (image, reader) in blinded:
            after[image, reader] = words, code or ""
    counts = {"towards": 0, "away": 0, "otherwise": 0}
    for key, (answer, code) in after.items():
        if answer != blinded[key]:
            counts["towards" if answer == code else "away" if blinded[key] == code else "otherwise"] += 1
    return ChangedMinds(again=len(after), **counts)
