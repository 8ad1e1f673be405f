"""What Prometheus reads: its text format 0.0.4, and who may read it."""

import ipaddress
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Avg, Count
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from diagnosis.models import Image, Incident, Prediction
from mlmodel.serving import active_analyser

from .figures import queue_of

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[dict[str, str], float]


def may_read_metrics(request: HttpRequest) -> bool:
    """With a token set, who sends it; without one, who asks from this machine and through no proxy."""
    if settings.METRICS_TOKEN:
        return constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}")
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def metrics_text() -> str:
    """Return all figures, over all clinics: no figure names a clinic or a person."""
    since = timezone.now() - timedelta(days=1)
    of_a_day = Prediction.objects.of_new_photographs().filter(created_at__gte=since).order_by()
    verdicts = Image.objects.filter(created_at__gte=since).order_by().values_list("verdict").annotate(n=Count("pk"))
    tiers = of_a_day.values_list("tier").annotate(n=Count("pk"))
    mean = of_a_day.aggregate(mean=Avg("duration"))["mean"] or timedelta(0)
    waiting, oldest = queue_of(None)
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    kinds = Incident.objects.alive().order_by().values_list("watched", "state").annotate(n=Count("pk"))
    lines = [
        *_gauge("dermascan_network_info", "The network that answers.", [({"version": active_analyser().version}, 1)]),
        *_gauge("dermascan_images_24h", "Photographs of the last day.", [({"verdict": v}, n) for v, n in verdicts]),
        *_gauge("dermascan_predictions_24h", "Answers of the last day.", [({"tier": t}, n) for t, n in tiers]),
        *_gauge("dermascan_prediction_seconds_mean_24h", "Mean time for an answer.", [({}, mean.total_seconds())]),
        *_gauge("dermascan_queue_waiting", "Photographs that wait for a review.", [({}, waiting)]),
        *_gauge("dermascan_queue_oldest_seconds", "How long the oldest has waited.", [({}, age)]),
        *_gauge("dermascan_incidents", "Incidents not over.", [({"kind": k, "state": s}, n) for k, s, n in kinds]),
    ]
    return "\n".join(lines) + "\n"


def _gauge(name: str, about: str, samples: Iterable[Sample]) -> list[str]:
    lines = [f"# HELP {name} {about}", f"# TYPE {name} gauge"]
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{inside}}} {value}" if inside else f"{name} {value}")
    return lines


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
