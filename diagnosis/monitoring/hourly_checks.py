"""What is looked at each hour, clinic by clinic, and from where on it is an incident."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import numpy as np
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dermascan.core.clock import latest
from diagnosis.images.clinic_analysers import in_clinic
from diagnosis.images.models import Image, Prediction, QualityVerdict
from diagnosis.monitoring.confirmed_diagnoses import Diagnosed, diagnoses_of
from diagnosis.monitoring.drift_check import look_for_drift
from diagnosis.monitoring.incidents import end_incident, open_incident
from diagnosis.monitoring.label_agreement import LABEL_DAYS, Calibration, Cell, calibration_of, cells_of
from diagnosis.monitoring.measure_names import measure_words
from diagnosis.monitoring.models import Incident, Watched
from diagnosis.reviews.models import QueueEntry
from mlmodel.metrics.curves import wilson
from mlmodel.network.drift import WINDOW
from mlmodel.versions.serving import active_analyser, active_version
from patients.models import Clinic

# Of fewer photographs, answers or labels a share says little.
FEWEST_COUNTED = 50
# An incident is over once the figure is this far inside its limit: one that wavers about it is told once.
RELIEF = 0.9


@dataclass(frozen=True)
class Finding:
    """What a check found: is it an alarm, is an earlier one over, and in which words."""

    is_alarm: bool
    is_well: bool
    words: str


@dataclass(frozen=True)
class CheckContext:
    """The clinic that is looked at, and what more than one check asks of it."""

    clinic: Clinic

    @cached_property
    def cells(self) -> list[Cell]:
        """The answers of the last twelve weeks that have a confirmed label, counted."""
        return cells_of(self.clinic, days=LABEL_DAYS)


def watch_clinic(clinic: Clinic) -> list[Incident]:
    """Make every check; open and end incidents, and return those that are new."""
    opened = []
    looked_at = CheckContext(clinic)
    for watched, check in CHECKS.items():
        finding = check(looked_at)
        if finding is None:
            continue
        if finding.is_alarm:
            incident, is_new = open_incident(clinic=clinic, watched=watched, words=finding.words)
            opened += [incident] if is_new else []
        elif finding.is_well:
            end_incident(clinic=clinic, watched=watched)
    return opened


def agrees_too_little(agreed: int, count: int) -> bool:
    """Whether the whole 95 % interval of the agreement lies below the limit, of labels enough to tell."""
    return count >= FEWEST_COUNTED and wilson(agreed, count)[1] < settings.WATCH_LEAST_AGREEMENT


def is_less_true(calibration: Calibration) -> bool:
    """Whether the error is above the release's interval by more than the margin, and by more than chance allows."""
    margin = max(settings.WATCH_CALIBRATION_MARGIN, calibration.chance)
    return calibration.count >= FEWEST_COUNTED and calibration.excess > margin


def _drift(looked_at: CheckContext) -> Finding | None:
    drift = look_for_drift(looked_at.clinic)
    if drift is None or drift.limit is None:
        return None
    look = drift.features
    words = _(
        "The newest %(count)d photographs differ from those that the network was calibrated on: distance "
        "%(distance).2f where %(threshold).2f is the limit, stability index %(psi).2f."
    ) % {"count": look.count, "distance": look.distance, "threshold": look.threshold, "psi": look.psi}
    moved = " ".join(measure_words(measure) for measure in drift.moved)
    advice = _("Look for a new camera, lamp or white balance.")
    return _finding(look.distance, drift.limit, " ".join(filter(None, (words, moved, advice))))


def _refusals(looked_at: CheckContext) -> Finding | None:
    images = Image.objects.filter(visit__patient__clinic=looked_at.clinic, created_at__lte=latest())
    verdicts = list(images.order_by("-created_at").values_list("verdict", flat=True)[:WINDOW])
    if len(verdicts) < FEWEST_COUNTED:
        return None
    refused = sum(verdict != QualityVerdict.ACCEPTED for verdict in verdicts)
    words = _("%(refused)d of the newest %(count)d photographs were refused. Look at how they are taken.")
    share = refused / len(verdicts)
    return _finding(share, settings.WATCH_MOST_REFUSED, words % {"refused": refused, "count": len(verdicts)})


def _queue_age(looked_at: CheckContext) -> Finding:
    urgent = QueueEntry.objects.waiting().filter(clinic=looked_at.clinic, reason="urgent")
    urgent.count_from_now_what_is_dated_ahead()
    oldest = urgent.order_by("entered_at").values_list("entered_at", flat=True).first()
    limit = timedelta(days=settings.WATCH_OLDEST_URGENT_DAYS)
    age = timezone.now() - oldest if oldest else timedelta(0)
    words = ngettext(
        "An urgent photograph has waited for a review for %(days)d day. Ask a dermatologist to review.",
        "An urgent photograph has waited for a review for %(days)d days. Ask a dermatologist to review.",
        age.days,
    )
    # An age only grows until somebody reads: it does not waver.
    return Finding(age > limit, age <= limit, words % {"days": age.days})


def _agreement(looked_at: CheckContext) -> Finding | None:
    version = active_version()
    cells = [cell for cell in looked_at.cells if cell.version == version.pk]
    count, agreed = sum(cell.count for cell in cells), sum(cell.agreed for cell in cells)
    if count < FEWEST_COUNTED:
        return None
    limit = settings.WATCH_LEAST_AGREEMENT
    words = _(
        "The network %(version)s and the confirmed labels agree on %(agreed)d of %(count)d photographs of the last "
        "%(weeks)d weeks: %(share).0f %%, and %(high).0f %% at most with its 95 %% interval. The limit is "
        "%(limit).0f %%. Look at those that differ, and think of retraining."
    )
    figures = {
        "version": version.name,
        "agreed": agreed,
        "count": count,
        "weeks": LABEL_DAYS // 7,
        "share": 100 * agreed / count,
        "high": 100 * wilson(agreed, count)[1],
        "limit": 100 * limit,
    }
    return Finding(agrees_too_little(agreed, count), agreed / count >= limit, words % figures)


def _calibration(looked_at: CheckContext) -> Finding | None:
    found = calibration_of(looked_at.cells, active_version())
    if found is None or found.count < FEWEST_COUNTED:
        return None
    words = _(
        "The probabilities of the network %(version)s are less true here than at release: the calibration error is "
        "%(error).3f on %(count)d photographs with a confirmed label, and %(released)s. Do not rely on the "
        "percentages; think of retraining."
    )
    released = _("was not stated with the release")
    if found.released is not None:
        released = _("was %(value).3f at release") % {"value": found.released.value}
    figures = {"version": found.version, "error": found.error, "count": found.count, "released": released}
    is_well = found.excess <= settings.WATCH_CALIBRATION_MARGIN * RELIEF
    return Finding(is_less_true(found), is_well, words % figures)


def misses_too_many(called_calm: int, count: int, *, sensitivity: float) -> bool:
    """Whether the whole 95 % interval of the share that was not called calm lies below the release's sensitivity."""
    return count > 0 and wilson(count - called_calm, count)[1] < sensitivity


def _missed(looked_at: CheckContext) -> Finding:
    """Of malignant diagnoses within the seven and outside apart: many of the ones hide no miss of the others."""
    found = diagnoses_of(looked_at.clinic, days=LABEL_DAYS)
    analyser, _settings = in_clinic(active_analyser(), looked_at.clinic.pk)
    sensitivity = analyser.operating_points.watch.sensitivity
    words, is_alarm, is_well = [], False, True
    for outside in (False, True):
        rows = found.malignant_rows(outside=outside)
        count, calm = sum(row.count for row in rows), sum(row.calm for row in rows)
        if misses_too_many(calm, count, sensitivity=sensitivity):
            is_alarm = True
            words.append(_missed_in_words(rows, outside=outside))
        is_well = is_well and count - calm >= sensitivity * count
    words.append(_("Look at these photographs, and tell whoever reads that calm is no all-clear."))
    return Finding(is_alarm, is_well, " ".join(words))


def _missed_in_words(rows: list[Diagnosed], *, outside: bool) -> str:
    if outside:
        words = _(
            "Of %(count)d photographs of the last %(weeks)d weeks that are confirmed as malignant and none of the "
            "seven classes, the network called %(calm)d calm: %(names)s."
        )
    else:
        words = _(
            "Of %(count)d photographs of the last %(weeks)d weeks that are confirmed as a malignant one of the "
            "seven classes, the network called %(calm)d calm: %(names)s."
        )
    figures = {
        "count": sum(row.count for row in rows),
        "calm": sum(row.calm for row in rows),
        "weeks": LABEL_DAYS // 7,
    }
    return words % {**figures, "names": ", ".join(f"{row.name} ({row.calm})" for row in rows if row.calm)}


def _latency(looked_at: CheckContext) -> Finding | None:
    made = Prediction.objects.of_new_photographs().filter(image__visit__patient__clinic=looked_at.clinic)
    made = made.filter(created_at__lte=latest())
    newest = list(made.order_by("-created_at").values_list("duration", flat=True)[:WINDOW])
    if len(newest) < FEWEST_COUNTED:
        return None
    seconds = float(np.quantile([each.total_seconds() for each in newest], 0.95, method="inverted_cdf"))
    words = _(
        "Of the newest %(count)d answers one in 20 took %(seconds).1f seconds or more; %(limit).1f is the limit. Look "
        "at what else this machine does, and at its memory."
    )
    limit = settings.WATCH_SLOWEST_SECONDS
    return _finding(seconds, limit, words % {"count": len(newest), "seconds": seconds, "limit": limit})


def _finding(value: float, limit: float, words: str) -> Finding:
    return Finding(value > limit, value <= limit * RELIEF, words)


CHECKS: dict[Watched, Callable[[CheckContext], Finding | None]] = {
    Watched.DRIFT: _drift,
    Watched.REFUSALS: _refusals,
    Watched.QUEUE_AGE: _queue_age,
    Watched.AGREEMENT: _agreement,
    Watched.CALIBRATION: _calibration,
    Watched.MISSED: _missed,
    Watched.LATENCY: _latency,
}
