"""What was done and what waits, day by day."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.db.models import Case, Count, Exists, OuterRef, Q, When
from django.utils import timezone

from dermascan.core.clock import latest
from diagnosis.images.models import Image, Prediction, QualityVerdict, Tier
from diagnosis.reviews.models import QueueEntry, Reason
from patients.models import Clinic, Visit

# Whole days: what waits for less than one, less than three, … and the rest.
AGES = (1, 3, 7, 14, 30)


@dataclass(frozen=True)
class Day:
    """One day's work. Half of the answers took ``median_seconds`` at most, 95 in 100 took ``p95_seconds`` at most."""

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
    """What waits for a review.

    Attributes:
        seen_at: when it was looked at; ages are counted to this moment.
        waiting: how many.
        oldest: since when the oldest waits; None where nothing does.
        half_since: since when half of them have waited at least; None where nothing waits.
        ages: how many of each of ``AGES``, and of what is older, and how many of those are urgent.
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
        """Half of them have waited so long at least."""
        return self._days_since(self.half_since)

    def _days_since(self, moment: datetime | None) -> float:
        return max((self.seen_at - moment) / timedelta(days=1), 0.0) if moment else 0.0


def days_of(clinic: Clinic | None, *, days: int) -> list[Day]:
    """Return the newest ``days`` days, the oldest first, of one clinic or of all."""
    starts = [start_of(back) for back in range(days, 0, -1)]
    images = Image.objects.filter(of(clinic, "visit"), created_at__range=window(days))
    refused = images.exclude(verdict=QualityVerdict.ACCEPTED).annotate(day=period_of(starts)).order_by()
    refusals = dict(refused.values_list("day").annotate(Count("pk")))
    # One walk over the answers for counts and times: no percentile is the same on SQLite and PostgreSQL.
    made: dict[int, list[tuple[str, float]]] = {}
    answers = Prediction.objects.of_new_photographs().filter(created_at__range=window(days))
    answers = answers.filter(of(clinic, "image__visit")).with_shown_tier().annotate(day=period_of(starts)).order_by()
    for day, tier, duration in answers.values_list("day", "tier_shown", "duration"):
        made.setdefault(day, []).append((tier, duration.total_seconds()))
    return [
        _day(start.date(), made.get(place, []), refused=refusals.get(place, 0)) for place, start in enumerate(starts)
    ]


def queue_of(clinic: Clinic | None) -> Queue:
    """Return how many photographs wait for a review, and how long they have waited."""
    # Naming the clinics lets the index by clinic, state and age answer alone, also where all are meant.
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
    """The condition that keeps to one clinic; ``visit`` is the way to the visit. None keeps all.

    Asked row by row: joined, SQLite begins with the clinic's patients and reads years to find a month.
    """
    return Q(Exists(Visit.objects.filter(pk=OuterRef(visit), patient__clinic=clinic))) if clinic else Q()


def start_of(days: int) -> datetime:
    """Return the midnight with which the newest ``days`` days began, today included."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days - 1)


def window(days: int) -> tuple[datetime, datetime]:
    """The newest ``days`` days for a query's ``__range``.

    What was dated before the clock was set back belongs to no day that has come.
    """
    return start_of(days), latest()


def period_of(starts: Sequence[datetime]) -> Case:
    """Which of some periods, by their place, a row was made in; each lasts until the next begins.

    Compared as moments: to truncate them to days or weeks, SQLite calls Python row by row.
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
