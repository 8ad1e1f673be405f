"""What is looked at each hour, clinic by clinic, and from where on it is an incident."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from diagnosis.models import Image, ImageFeatures, QualityVerdict, QueueEntry
from diagnosis.models.watch import Incident, Watched
from mlmodel.analysis import get_analyser
from mlmodel.drift import WINDOW, Look
from patients.models import Clinic

from .incidents import end_incident, open_incident

# Of fewer photographs a share says little.
FEWEST_FOR_A_SHARE = 50


@dataclass(frozen=True)
class Finding:
    """What a check found: is it an alarm, and in which words."""

    is_alarm: bool
    words: str


def watch_clinic(clinic: Clinic) -> list[Incident]:
    """Make every check; open and end incidents, and return those that are new."""
    opened = []
    for watched, check in CHECKS.items():
        finding = check(clinic)
        if finding is None:
            continue
        if finding.is_alarm:
            incident, is_new = open_incident(clinic=clinic, watched=watched, words=finding.words)
            opened += [incident] if is_new else []
        else:
            end_incident(clinic=clinic, watched=watched)
    return opened


def look_for_drift(clinic: Clinic) -> Look | None:
    """Compare the clinic's newest photographs with the release's reference; None without one, or without any."""
    analyser = get_analyser()
    if analyser.reference is None:
        return None
    # Only those that were accepted: what is no skin is refused, and has its own check.
    newest = Image.objects.filter(visit__patient__clinic=clinic, verdict=QualityVerdict.ACCEPTED)
    keys = list(newest.order_by("-created_at").values_list("pk", flat=True)[:WINDOW])
    features = ImageFeatures.objects.filter(image__in=keys, backbone_sha256=analyser.backbone_sha256)
    vectors = [np.frombuffer(vector, "<f2") for vector in features.values_list("vector", flat=True)]
    return analyser.reference.look(analyser.reference.project(np.stack(vectors))) if vectors else None


def _drift(clinic: Clinic) -> Finding | None:
    look = look_for_drift(clinic)
    if look is None or not np.isfinite(look.threshold):
        return None
    words = _(
        "The newest %(count)d photographs differ from those that the network was calibrated on: distance "
        "%(distance).2f where %(threshold).2f is the limit, stability index %(psi).2f. Look for a new camera, lamp or "
        "white balance."
    )
    return Finding(
        look.has_drifted,
        words % {"count": look.count, "distance": look.distance, "threshold": look.threshold, "psi": look.psi},
    )


def _refusals(clinic: Clinic) -> Finding | None:
    newest = Image.objects.filter(visit__patient__clinic=clinic).order_by("-created_at")
    verdicts = list(newest.values_list("verdict", flat=True)[:WINDOW])
    if len(verdicts) < FEWEST_FOR_A_SHARE:
        return None
    refused = sum(verdict != QualityVerdict.ACCEPTED for verdict in verdicts)
    words = _("%(refused)d of the newest %(count)d photographs were refused. Look at how they are taken.")
    is_alarm = refused / len(verdicts) > settings.WATCH_MOST_REFUSED
    return Finding(is_alarm, words % {"refused": refused, "count": len(verdicts)})


def _queue_age(clinic: Clinic) -> Finding:
    urgent = QueueEntry.objects.waiting().filter(clinic=clinic, reason="urgent")
    oldest = urgent.order_by("entered_at").values_list("entered_at", flat=True).first()
    limit = timedelta(days=settings.WATCH_OLDEST_URGENT_DAYS)
    age = timezone.now() - oldest if oldest else timedelta(0)
    words = _("An urgent photograph has waited for a review for %(days)d days. Ask a dermatologist to review.")
    return Finding(age > limit, words % {"days": age.days})


CHECKS: dict[Watched, Callable[[Clinic], Finding | None]] = {
    Watched.DRIFT: _drift,
    Watched.REFUSALS: _refusals,
    Watched.QUEUE_AGE: _queue_age,
}
