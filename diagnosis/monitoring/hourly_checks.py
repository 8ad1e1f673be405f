"""The hourly checks of each clinic, and their limits for incidents."""

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
from diagnosis.monitoring.activity import of
from diagnosis.monitoring.confirmed_diagnoses import Diagnosed, diagnoses_of
from diagnosis.monitoring.drift_check import look_for_drift
from diagnosis.monitoring.incidents import end_incident, open_incident
from diagnosis.monitoring.label_agreement import LABEL_DAYS, Calibration, Cell, calibration_of, cells_of
from diagnosis.monitoring.measure_names import shift_in_words
from diagnosis.monitoring.models import Incident, IncidentKind
from diagnosis.reviews.models import QueueEntry
from mlmodel.metrics.curves import wilson
from mlmodel.network.drift import WINDOW
from mlmodel.versions.serving import active_analyser, active_version
from patients.models import Clinic

# A share of fewer photographs, answers or labels means little.
FEWEST_COUNTED = 50
# An incident is over once the figure is this far below its limit, so that fluctuations do not repeat it.
RELIEF = 0.9


@dataclass(frozen=True)
class Finding:
    """The result of a check: whether it is an alarm, whether an earlier incident is over, and the description."""

    is_alarm: bool
    is_well: bool
    words: str


@dataclass(frozen=True)
class CheckContext:
    """The clinic that is checked, with the data that several checks share."""

    clinic: Clinic

    @cached_property
    def cells(self) -> list[Cell]:
        """Counts of the last twelve weeks' answers that have a confirmed label."""
        return cells_of(self.clinic, days=LABEL_DAYS)


def watch_clinic(clinic: Clinic) -> list[Incident]:
    """Run every check, open and end incidents, and return the new ones."""
    opened = []
    context = CheckContext(clinic)
    for kind, check in CHECKS.items():
        finding = check(context)
        if finding is None:
            continue
        if finding.is_alarm:
            incident, is_new = open_incident(clinic=clinic, kind=kind, words=finding.words)
            opened += [incident] if is_new else []
        elif finding.is_well:
            end_incident(clinic=clinic, kind=kind)
    return opened


def agrees_too_little(agreed: int, count: int) -> bool:
    """Whether, given enough labels, the whole 95 % interval of the agreement lies below the limit."""
    return count >= FEWEST_COUNTED and wilson(agreed, count)[1] < settings.WATCH_LEAST_AGREEMENT


def is_less_true(calibration: Calibration) -> bool:
    """Whether the error is above the release's interval by more than the margin, and by more than chance allows."""
    margin = max(settings.WATCH_CALIBRATION_MARGIN, calibration.chance)
    return calibration.count >= FEWEST_COUNTED and calibration.excess > margin


def _drift(context: CheckContext) -> Finding | None:
    drift = look_for_drift(context.clinic)
    if drift is None or drift.limit is None:
        return None
    look = drift.features
    words = _(
        "The newest %(count)d photographs differ from those that the network was calibrated on: distance "
        "%(distance).2f where %(threshold).2f is the limit, stability index %(psi).2f."
    ) % {"count": look.count, "distance": look.distance, "threshold": look.threshold, "psi": look.psi}
    moved = " ".join(shift_in_words(measure) for measure in drift.moved)
    advice = _("Check for a new camera, lamp or white balance.")
    return _finding(look.distance, drift.limit, " ".join(filter(None, (words, moved, advice))))


def _refusals(context: CheckContext) -> Finding | None:
    images = Image.objects.filter(of(context.clinic, "visit"), created_at__lte=latest())
    verdicts = list(images.order_by("-created_at").values_list("verdict", flat=True)[:WINDOW])
    if len(verdicts) < FEWEST_COUNTED:
        return None
    refused = sum(verdict != QualityVerdict.ACCEPTED for verdict in verdicts)
    words = _("%(refused)d of the newest %(count)d photographs were refused. Check how photographs are taken.")
    share = refused / len(verdicts)
    return _finding(share, settings.WATCH_MOST_REFUSED, words % {"refused": refused, "count": len(verdicts)})


def _queue_age(context: CheckContext) -> Finding:
    urgent = QueueEntry.objects.waiting().filter(clinic=context.clinic, reason="urgent")
    urgent.count_from_now_what_is_dated_ahead()
    oldest = urgent.order_by("entered_at").values_list("entered_at", flat=True).first()
    limit = timedelta(days=settings.WATCH_OLDEST_URGENT_DAYS)
    age = timezone.now() - oldest if oldest else timedelta(0)
    words = ngettext(
        "An urgent photograph has waited for a review for %(days)d day. Ask a dermatologist to review it.",
        "An urgent photograph has waited for a review for %(days)d days. Ask a dermatologist to review it.",
        age.days,
    )
    # The age does not fluctuate, so no margin is needed.
    return Finding(age > limit, age <= limit, words % {"days": age.days})


def _agreement(context: CheckContext) -> Finding | None:
    version = active_version()
    cells = [cell for cell in context.cells if cell.version == version.pk]
    count, agreed = sum(cell.count for cell in cells), sum(cell.agreed for cell in cells)
    if count < FEWEST_COUNTED:
        return None
    limit = settings.WATCH_LEAST_AGREEMENT
    words = _(
        "The network %(version)s agrees with the confirmed labels on %(agreed)d of %(count)d photographs of the last "
        "%(weeks)d weeks: %(share).0f %%, at most %(high).0f %% within its 95 %% interval. The alarm limit is "
        "%(limit).0f %%. Look at the photographs that differ, and consider retraining."
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


def _calibration(context: CheckContext) -> Finding | None:
    calibration = calibration_of(context.cells, active_version())
    if calibration is None or calibration.count < FEWEST_COUNTED:
        return None
    words = _(
        "The probabilities of the network %(version)s are less accurate here than at release: the calibration error "
        "is "
        "%(error).3f on %(count)d photographs with a confirmed label, and %(released)s. Do not rely on the "
        "percentages; consider retraining."
    )
    released = _("was not stated with the release")
    if calibration.released is not None:
        released = _("was %(value).3f at release") % {"value": calibration.released.value}
    figures = {
        "version": calibration.version,
        "error": calibration.error,
        "count": calibration.count,
        "released": released,
    }
    is_well = calibration.excess <= settings.WATCH_CALIBRATION_MARGIN * RELIEF
    return Finding(is_less_true(calibration), is_well, words % figures)


def misses_too_many(called_calm: int, count: int, *, sensitivity: float) -> bool:
    """Whether the whole 95 % interval of the share that was not called calm lies below the release's sensitivity."""
    return count > 0 and wilson(count - called_calm, count)[1] < sensitivity


def _missed(context: CheckContext) -> Finding:
    """Check malignant diagnoses inside and outside the seven classes separately, so that neither hides the other."""
    diagnoses = diagnoses_of(context.clinic, days=LABEL_DAYS)
    analyser, _settings = in_clinic(active_analyser(), context.clinic.pk)
    sensitivity = analyser.operating_points.watch.sensitivity
    words, is_alarm, is_well = [], False, True
    for outside in (False, True):
        rows = diagnoses.malignant_rows(outside=outside)
        count, calm = sum(row.count for row in rows), sum(row.calm for row in rows)
        if misses_too_many(calm, count, sensitivity=sensitivity):
            is_alarm = True
            words.append(_missed_in_words(rows, outside=outside))
        is_well = is_well and count - calm >= sensitivity * count
    words.append(_("Look at these photographs, and remind all clinicians that calm is not an all-clear."))
    return Finding(is_alarm, is_well, " ".join(words))


def _missed_in_words(rows: list[Diagnosed], *, outside: bool) -> str:
    if outside:
        words = _(
            "Of %(count)d photographs of the last %(weeks)d weeks with a malignant confirmed diagnosis outside the "
            "seven "
            "classes, the network called %(calm)d calm: %(names)s."
        )
    else:
        words = _(
            "Of %(count)d photographs of the last %(weeks)d weeks with a malignant confirmed diagnosis among the "
            "seven "
            "classes, the network called %(calm)d calm: %(names)s."
        )
    figures = {
        "count": sum(row.count for row in rows),
        "calm": sum(row.calm for row in rows),
        "weeks": LABEL_DAYS // 7,
    }
    return words % {**figures, "names": ", ".join(f"{row.name} ({row.calm})" for row in rows if row.calm)}


def _latency(context: CheckContext) -> Finding | None:
    made = Prediction.objects.of_new_photographs().filter(of(context.clinic, "image__visit"))
    made = made.filter(created_at__lte=latest())
    newest = list(made.order_by("-created_at").values_list("duration", flat=True)[:WINDOW])
    if len(newest) < FEWEST_COUNTED:
        return None
    seconds = float(np.quantile([each.total_seconds() for each in newest], 0.95, method="inverted_cdf"))
    words = _(
        "One in 20 of the newest %(count)d answers took %(seconds).1f seconds or more; the limit is %(limit).1f. "
        "Check "
        "what else runs on this machine, and its memory."
    )
    limit = settings.WATCH_SLOWEST_SECONDS
    return _finding(seconds, limit, words % {"count": len(newest), "seconds": seconds, "limit": limit})


def _finding(value: float, limit: float, words: str) -> Finding:
    return Finding(value > limit, value <= limit * RELIEF, words)


CHECKS: dict[IncidentKind, Callable[[CheckContext], Finding | None]] = {
    IncidentKind.DRIFT: _drift,
    IncidentKind.REFUSALS: _refusals,
    IncidentKind.QUEUE_AGE: _queue_age,
    IncidentKind.AGREEMENT: _agreement,
    IncidentKind.CALIBRATION: _calibration,
    IncidentKind.MISSED: _missed,
    IncidentKind.LATENCY: _latency,
}
