"""What the watch's pages show. Everything is counted by the database, so that 100,000 photographs stay quick."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, F, Min, Q
from django.db.models.functions import Floor, Greatest, TruncDate, TruncWeek
from django.utils import timezone

from diagnosis.answers import LabelState
from diagnosis.models import Image, Prediction, QualityVerdict, QueueEntry, Tier
from mlmodel.evaluation.curves import wilson
from mlmodel.taxonomy import CODES
from mlmodel.training.evaluate import CALIBRATION_BINS
from patients.models import Clinic

SETTLED = Q(image__label__state=LabelState.SETTLED, image__label__answer__in=CODES)


@dataclass(frozen=True)
class Day:
    """One day's work."""

    day: date
    predictions: int
    refused: int
    urgent: int
    watch: int
    calm: int
    seconds: float


@dataclass(frozen=True)
class Agreement:
    """How often one version and the confirmed labels agreed in one week; with a 95 % interval (Wilson 1927)."""

    week: date
    version: str
    agreed: int
    count: int

    @property
    def share(self) -> float:
        return self.agreed / self.count

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.agreed, self.count)


def days_of(clinic: Clinic | None, *, days: int) -> list[Day]:
    """Return the newest ``days`` days, the oldest first, of one clinic or of all."""
    today = timezone.localdate()
    since = _start(days)
    of_images, of_predictions = _of(clinic, "visit"), _of(clinic, "image__visit")
    refusals = dict(
        Image.objects.filter(of_images, created_at__gte=since)
        .exclude(verdict=QualityVerdict.ACCEPTED)
        .order_by()
        .values_list(TruncDate("created_at"))
        .annotate(count=Count("pk"))
    )
    tiers = {tier.value: Count("pk", filter=Q(tier=tier)) for tier in Tier}
    rows = (
        Prediction.objects.of_new_photographs()
        .filter(of_predictions, created_at__gte=since)
        .order_by()
        .values(day=TruncDate("created_at"))
        .annotate(predictions=Count("pk"), mean=Avg("duration"), **tiers)
    )
    made: dict[date, dict[str, Any]] = {row["day"]: {**row} for row in rows}
    found = []
    for back in reversed(range(days)):
        day = today - timedelta(days=back)
        row = made.get(day, {})
        mean: timedelta = row.get("mean") or timedelta(0)
        counts = {name: row.get(name, 0) for name in ("predictions", "urgent", "watch", "calm")}
        found.append(Day(day=day, refused=refusals.get(day, 0), seconds=mean.total_seconds(), **counts))
    return found


def agreement_of(clinic: Clinic | None, *, days: int) -> list[Agreement]:
    """Return agreement with confirmed labels by week and version, the oldest week first."""
    rows = (
        _confirmed(clinic, days)
        .values(week=TruncWeek("created_at"), version=F("model_version__name"))
        .annotate(count=Count("pk"), agreed=Count("pk", filter=Q(code=F("image__label__answer"))))
        .order_by("week", "version")
    )
    return [Agreement(row["week"].date(), row["version"], row["agreed"], row["count"]) for row in rows]


def calibration_error_of(clinic: Clinic | None, *, days: int) -> tuple[float, int] | None:
    """Return the expected calibration error on confirmed labels, in the release's bins, and on how many; or None."""
    rows = list(
        _confirmed(clinic, days)
        .annotate(confidence=Greatest(*CODES))
        .values(bin=Floor(F("confidence") * (CALIBRATION_BINS - 0.001)))
        .annotate(
            count=Count("pk"), mean=Avg("confidence"), agreed=Count("pk", filter=Q(code=F("image__label__answer")))
        )
    )
    count = sum(row["count"] for row in rows)
    if not count:
        return None
    return sum(abs(row["mean"] * row["count"] - row["agreed"]) for row in rows) / count, count


def queue_of(clinic: Clinic | None) -> tuple[int, datetime | None]:
    """Return how many photographs wait for a review, and since when the oldest does."""
    waiting = QueueEntry.objects.waiting()
    found = (waiting.filter(clinic=clinic) if clinic else waiting).aggregate(n=Count("pk"), oldest=Min("entered_at"))
    return found["n"], found["oldest"]


def _confirmed(clinic: Clinic | None, days: int) -> Any:
    # A rescored answer may be one to a photograph that its version was trained on: it proves nothing.
    made = Prediction.objects.of_new_photographs().filter(created_at__gte=_start(days))
    return made.filter(_of(clinic, "image__visit"), SETTLED).order_by()


def _of(clinic: Clinic | None, visit: str) -> Q:
    return Q(**{f"{visit}__patient__clinic": clinic}) if clinic else Q()


def _start(days: int) -> datetime:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days - 1)
