"""Daily activity, and the review queue."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.db.models import Case, Count, Q, When
from django.utils import timezone

from dermascan.core.clock import latest
from diagnosis.images.models import Image, Prediction, QualityVerdict, Tier
from diagnosis.reviews.models import QueueEntry, Reason
from patients.models import Clinic, is_at_a_visit_in_use

# Upper limits in days of the age groups of the queue; one more group holds the rest.
AGES = (1, 3, 7, 14, 30)


@dataclass(frozen=True)
class Day:
    """One day's answers and refusals. ``median_seconds`` and ``p95_seconds`` are the times for an answer."""

    day: date
    predictions: int
    refused: int
    urgent: int
    watch: int
    calm: int
    median_seconds: float
    p95_seconds: float


@dataclass(frozen=True)
class Queue:
    """The photographs that wait for a review.

    Attributes:
        seen_at: the time of this count, to which ages refer.
        waiting: the number of photographs.
        oldest: when the oldest entered the queue; None if the queue is empty.
        half_since: when half of them had entered the queue; None if the queue is empty.
        ages: for each group of ``AGES`` and the rest, the number of photographs and of the urgent ones.
    """

    seen_at: datetime
    waiting: int
    oldest: datetime | None
    half_since: datetime | None
    ages: list[tuple[int, int]]

    @property
    def oldest_days(self) -> float:
        return self._days_since(self.oldest)

    @property
    def median_days(self) -> float:
        """The median waiting time."""
        return self._days_since(self.half_since)

    def _days_since(self, moment: datetime | None) -> float:
        return max((self.seen_at - moment) / timedelta(days=1), 0.0) if moment else 0.0


def days_of(clinic: Clinic | None, *, days: int) -> list[Day]:
    """Return the latest ``days`` days, oldest first, of one clinic or of all."""
    starts = [start_of(back) for back in range(days, 0, -1)]
    images = Image.objects.filter(of(clinic, "visit"), created_at__range=window(days))
    refused = images.exclude(verdict=QualityVerdict.ACCEPTED).annotate(day=period_of(starts)).order_by()
    refusals = dict(refused.values_list("day").annotate(Count("pk")))
    # Percentiles are computed here: SQLite has none, and PostgreSQL's would differ.
    answers_by_day: dict[int, list[tuple[str, float]]] = {}
    answers = Prediction.objects.of_new_photographs().filter(created_at__range=window(days))
    answers = answers.filter(of(clinic, "image__visit")).with_shown_tier().annotate(day=period_of(starts)).order_by()
    for day, tier, duration in answers.values_list("day", "tier_shown", "duration"):
        answers_by_day.setdefault(day, []).append((tier, duration.total_seconds()))
    return [
        _day(start.date(), answers_by_day.get(place, []), refused=refusals.get(place, 0))
        for place, start in enumerate(starts)
    ]


def queue_of(clinic: Clinic | None) -> Queue:
    """Return the review queue of one clinic or of all."""
    # Listing the clinics, even all of them, lets the database use the index by clinic, state and age.
    clinics = [clinic] if clinic else Clinic.objects.all()
    waiting = QueueEntry.objects.waiting().filter(clinic__in=clinics).order_by()
    now = timezone.now()
    age = Case(
        *(When(entered_at__gt=now - timedelta(days=days), then=index) for index, days in enumerate(AGES)),
        default=len(AGES),
    )
    every, urgent = (
        dict(some.annotate(age=age).values_list("age").annotate(Count("pk")))
        for some in (waiting, waiting.filter(reason=Reason.URGENT))
    )
    count = sum(every.values())
    by_age = waiting.order_by("entered_at").values_list("entered_at", flat=True)
    oldest, half = by_age.first(), by_age[max(count - 1, 0) // 2 :][:1]
    return Queue(
        seen_at=now,
        waiting=count,
        oldest=oldest,
        half_since=half.first(),
        ages=[(every.get(index, 0), urgent.get(index, 0)) for index in range(len(AGES) + 1)],
    )


def of(clinic: Clinic | None, visit: str) -> Q:
    """Return the filter for what counts of one clinic, or of all if None; ``visit`` is the lookup path to the visit.

    What was photographed at a void visit does not count.
    """
    return Q(is_at_a_visit_in_use(visit, patient__clinic=clinic) if clinic else is_at_a_visit_in_use(visit))


def start_of(days: int) -> datetime:
    """Return the midnight at which the latest ``days`` days began, today included."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days - 1)


def window(days: int) -> tuple[datetime, datetime]:
    """Return the latest ``days`` days for a query's ``__range``.

    Rows dated in the future, from before the clock was set back, are left out.
    """
    return start_of(days), latest()


def period_of(starts: Sequence[datetime]) -> Case:
    """Return the expression for the index of the period that a row was created in; each ends where the next starts.

    It compares times: truncating them to days or weeks makes SQLite call Python for every row.
    """
    newest_first = reversed(list(enumerate(starts)))
    return Case(*(When(created_at__gte=start, then=place) for place, start in newest_first), default=0)


def _day(day: date, answers: list[tuple[str, float]], *, refused: int) -> Day:
    tiers = Counter(tier for tier, _seconds in answers)
    seconds = [seconds for _tier, seconds in answers] or [0.0]
    median, p95 = np.quantile(seconds, (0.5, 0.95), method="inverted_cdf")
    return Day(
        day=day,
        predictions=len(answers),
        refused=refused,
        urgent=tiers[Tier.URGENT],
        watch=tiers[Tier.WATCH],
        calm=tiers[Tier.CALM],
        median_seconds=float(median),
        p95_seconds=float(p95),
    )
