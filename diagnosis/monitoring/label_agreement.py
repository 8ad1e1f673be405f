"""Agreement of the network's answers with confirmed labels, and the calibration of its probabilities."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db.models import Avg, Count, F, Q
from django.db.models.functions import Floor, Greatest

from diagnosis.images.models import Prediction
from diagnosis.monitoring.activity import of, period_of, start_of, window
from diagnosis.reviews.answers import LabelState
from mlmodel.metrics.curves import wilson
from mlmodel.metrics.performance import CALIBRATION_BINS
from mlmodel.taxonomy import CODES
from mlmodel.versions.models import ModelVersion
from patients.models import Clinic

SETTLED = Q(image__label__state=LabelState.SETTLED, image__label__answer__in=CODES)
# Labels come slowly, so twelve weeks are evaluated together.
LABEL_DAYS = 84
_DRAWS = 1000


@dataclass(frozen=True)
class Cell:
    """The answers of one version, week and confidence bin: their number, mean confidence, and agreement."""

    week: date
    version: int
    bin: int
    count: int
    confidence: float
    agreed: int


@dataclass(frozen=True)
class Agreement:
    """Agreement of one version with the confirmed labels in one week, with a 95 % interval (Wilson 1927)."""

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


@dataclass(frozen=True)
class Released:
    """The calibration error that a version states for its release.

    Attributes:
        unit: ``photographs`` or ``lesions``, as the version states; a lesion is the mean of its photographs.
        low, high: the 95 % interval; None if the version states none.
    """

    value: float
    low: float | None
    high: float | None
    unit: str


@dataclass(frozen=True)
class Calibration:
    """The expected calibration error of one version on confirmed labels.

    Attributes:
        error: mean gap between confidence and agreement, in the release's 15 bins.
        low, high: a 95 % interval by parametric bootstrap of the bins' counts.
        chance: the 99th percentile of the error of a perfectly calibrated network on this many answers. The error
            is never negative, so with few labels it is large by chance alone.
        released: the error at release; None if the version does not state it.
    """

    version: str
    is_active: bool
    count: int
    error: float
    low: float
    high: float
    chance: float
    released: Released | None

    @property
    def excess(self) -> float:
        """The difference between the error and the upper end of the release's interval."""
        released = self.released
        return self.error - (0.0 if released is None else released.value if released.high is None else released.high)


def cells_of(clinic: Clinic | None, *, days: int) -> list[Cell]:
    """Return the counts of the latest ``days`` days' answers with a confirmed label, oldest week first."""
    # Rescored answers are left out: the version may have been trained on the photograph.
    starts = week_starts(days)
    rows = (
        Prediction.objects.of_new_photographs()
        .that_could_be_judged()
        .filter(of(clinic, "image__visit"), SETTLED, created_at__range=window(days))
        .order_by()
        .annotate(sure=Greatest(*CODES))
        .values("model_version", week=period_of(starts), bin=Floor(F("sure") * (CALIBRATION_BINS - 0.001)))
        .annotate(count=Count("pk"), mean=Avg("sure"), agreed=Count("pk", filter=Q(code=F("image__label__answer"))))
        .order_by("week", "model_version", "bin")
    )
    return [
        Cell(
            week=starts[row["week"]].date(),
            version=row["model_version"],
            bin=int(row["bin"]),
            count=row["count"],
            confidence=row["mean"],
            agreed=row["agreed"],
        )
        for row in rows
    ]


def week_starts(days: int) -> list[datetime]:
    """Return the Mondays, at midnight, of the weeks of the latest ``days`` days, oldest first."""
    from_monday = days + start_of(days).weekday()
    return [start_of(back) for back in range(from_monday, 0, -7)]


def versions_of(cells: Iterable[Cell]) -> dict[int, ModelVersion]:
    """Return the versions of the cells, by key."""
    return ModelVersion.objects.defer("card", "judgement").in_bulk({cell.version for cell in cells})


def agreement_by_week(cells: Iterable[Cell], names: Mapping[int, str]) -> list[Agreement]:
    """Return the agreement by week and version, oldest week first."""
    sums: dict[tuple[date, int], tuple[int, int]] = {}
    for cell in cells:
        agreed, count = sums.get((cell.week, cell.version), (0, 0))
        sums[cell.week, cell.version] = agreed + cell.agreed, count + cell.count
    return [Agreement(week, names[version], *both) for (week, version), both in sums.items()]


def calibration_of(cells: Iterable[Cell], version: ModelVersion) -> Calibration | None:
    """Return the calibration of one version; None if none of its answers has a confirmed label."""
    own = [cell for cell in cells if cell.version == version.pk]
    if not own:
        return None
    bins: dict[int, list[float]] = {}
    for cell in own:
        sums = bins.setdefault(cell.bin, [0.0, 0.0, 0.0])
        sums[0] += cell.count
        sums[1] += cell.confidence * cell.count
        sums[2] += cell.agreed
    counts, sure, agreed = np.array(list(bins.values())).T
    total = int(counts.sum())
    means, shares = sure / counts, agreed / counts
    # A fixed seed, so that the page shows the same interval every time.
    draw = np.random.default_rng(0)
    drawn = draw.multinomial(total, counts / total, size=_DRAWS)
    again = np.abs(means * drawn - draw.binomial(drawn, shares)).sum(axis=1) / total
    calibrated = draw.binomial(counts.astype(int), np.clip(means, 0, 1), size=(_DRAWS, len(counts)))
    low, high = np.quantile(again, (0.025, 0.975))
    return Calibration(
        version=version.name,
        is_active=version.status == "active",
        count=total,
        error=float(np.abs(sure - agreed).sum() / total),
        low=float(low),
        high=float(high),
        chance=float(np.quantile(np.abs(sure - calibrated).sum(axis=1) / total, 0.99)),
        released=released_calibration(version.settings),
    )


def released_calibration(settings: Mapping[str, Any]) -> Released | None:
    """Return the calibration error in a version's settings, by photograph as it is counted here, or else by lesion."""
    locked = settings.get("locked_test", {})
    for unit in ("photographs", "lesions"):
        figure = locked.get(unit, {}).get("calibration_error")
        if figure:
            return Released(figure["value"], figure.get("low"), figure.get("high"), unit)
    return None
