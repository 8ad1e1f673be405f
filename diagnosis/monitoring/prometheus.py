"""Metrics for Prometheus in its text format 0.0.4, and access to them."""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from dermascan.core.client_address import is_this_machine
from dermascan.core.clock import within
from diagnosis.images.models import Image, Prediction
from diagnosis.images.models.prediction import PredictionQuerySet
from diagnosis.monitoring.activity import of, queue_of, start_of
from diagnosis.monitoring.confirmed_diagnoses import diagnoses_of
from diagnosis.monitoring.drift_check import look_for_drift
from diagnosis.monitoring.label_agreement import LABEL_DAYS, calibration_of, cells_of, versions_of
from diagnosis.monitoring.misses import miss_counts
from diagnosis.monitoring.models import Incident
from mlmodel.versions.serving import active_analyser
from patients.outbox import message_counts

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[dict[str, str], float]
# How long slow-changing metrics that are expensive to compute are cached.
SLOW_SECONDS = 300
_DAY = 86400
# Upper bounds in seconds: an answer should take less than 1, and the default limit of the check is 3.
BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)


def may_read_metrics(request: HttpRequest) -> bool:
    """Whether the request has the token or, if none is set, comes from this machine without a proxy."""
    if settings.METRICS_TOKEN:
        return constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}")
    return is_this_machine(request)


def metrics_text() -> str:
    """Return all metrics, over all clinics; none identifies a clinic or a person."""
    a_day = within(timedelta(days=1))
    answers = Prediction.objects.of_new_photographs().filter(of(None, "image__visit"), created_at__range=a_day)
    images = Image.objects.filter(of(None, "visit"), created_at__range=a_day).order_by()
    verdicts = images.values_list("verdict").annotate(n=Count("pk"))
    tiers = answers.order_by().with_shown_tier().values_list("tier_shown").annotate(n=Count("pk"))  # type: ignore[misc]
    queue = queue_of(None)
    kinds = Incident.objects.alive().order_by().values_list("kind", "state").annotate(n=Count("pk"))
    lines = [
        *_gauge("dermascan_network_info", "The active network.", [({"version": active_analyser().version}, 1)]),
        *_gauge("dermascan_images_24h", "Photographs of the last day.", [({"verdict": v}, n) for v, n in verdicts]),
        *_gauge("dermascan_predictions_24h", "Answers of the last day.", [({"tier": t}, n) for t, n in tiers]),
        *_seconds_for_an_answer(),
        *_gauge("dermascan_queue_waiting", "Photographs that wait for a review.", [({}, queue.waiting)]),
        *_gauge(
            "dermascan_queue_oldest_seconds",
            "Waiting time of the oldest photograph.",
            [({}, queue.oldest_days * _DAY)],
        ),
        *_gauge("dermascan_queue_median_seconds", "Median waiting time.", [({}, queue.median_days * _DAY)]),
        *_slow_metrics(),
        *_messages(),
        *_gauge(
            "dermascan_incidents", "Incidents that are not over.", [({"kind": k, "state": s}, n) for k, s, n in kinds]
        ),
    ]
    return "\n".join(lines) + "\n"


def _messages() -> list[str]:
    counts = message_counts()
    states: list[Sample] = [({"state": name}, counts[name]) for name in ("waiting", "late", "undelivered")]
    return [
        *_gauge("dermascan_messages", "Messages: waiting, failed at least once (late), and never delivered.", states),
        *_gauge(
            "dermascan_messages_oldest_seconds",
            "Waiting time of the oldest message.",
            [({}, counts["oldest_seconds"])],
        ),
    ]


def _seconds_for_an_answer() -> list[str]:
    """Return the histogram of the times of all answers ever given: Prometheus expects counts that only grow.

    So those of void visits are counted, too.
    """
    today = start_of(1)
    # Counts up to yesterday do not change and take a second for a million answers, so they are cached for the day.
    key = f"watch-seconds-before-{today.isoformat()}"
    made = Prediction.objects.of_new_photographs().order_by()
    before = cache.get(key)
    if before is None:
        before = _seconds_of(made.filter(created_at__lt=today))
        cache.set(key, before, 2 * _DAY)
    since = _seconds_of(made.filter(created_at__gte=today))
    *counts, count, total = (first + second for first, second in zip(before, since, strict=True))
    name = "dermascan_prediction_seconds"
    ends = [*(f"{end:g}" for end in BUCKETS), "+Inf"]
    return [
        f"# HELP {name} Seconds for an answer.",
        f"# TYPE {name} histogram",
        *(f'{name}_bucket{{le="{end}"}} {number}' for end, number in zip(ends, [*counts, count], strict=True)),
        f"{name}_sum {total}",
        f"{name}_count {count}",
    ]


def _seconds_of(predictions: PredictionQuerySet) -> list[float]:
    """Return the cumulative counts of ``BUCKETS``, the number of answers, and their total seconds."""
    within = {
        f"bucket{index}": Count("pk", filter=Q(duration__lte=timedelta(seconds=end)))
        for index, end in enumerate(BUCKETS)
    }
    row = predictions.aggregate(count=Count("pk"), total=Sum("duration"), **within)
    counts = [row[name] for name in within]
    return [*counts, row["count"], (row["total"] or timedelta(0)).total_seconds()]


def _slow_metrics() -> list[str]:
    lines: list[str] | None = cache.get("watch-slow-metrics")
    if lines is None:
        lines = [*_drift(), *_confirmed()]
        cache.set("watch-slow-metrics", lines, SLOW_SECONDS)
    return lines


def _drift() -> list[str]:
    drift = look_for_drift(None)
    if drift is None:
        return []
    limit: list[Sample] = [] if drift.limit is None else [({}, drift.limit)]
    moved = [({"measure": each.name}, each.psi) for each in drift.measures]
    return [
        *_gauge(
            "dermascan_drift_distance",
            "Distance of the newest photographs from those of the release.",
            [({}, drift.features.distance)],
        ),
        *_gauge("dermascan_drift_limit", "Limit of the drift distance.", limit),
        *_gauge(
            "dermascan_drift_stability_index", "Largest stability index of the features.", [({}, drift.features.psi)]
        ),
        *_gauge("dermascan_measure_stability_index", "Stability index of light, sharpness and colour.", moved),
    ]


def _confirmed() -> list[str]:
    cells = cells_of(None, days=LABEL_DAYS)
    agreed: list[Sample] = []
    labelled: list[Sample] = []
    errors: list[Sample] = []
    for key, version in sorted(versions_of(cells).items()):
        own, labels = [cell for cell in cells if cell.version == key], {"version": version.name}
        agreed.append((labels, sum(cell.agreed for cell in own)))
        labelled.append((labels, sum(cell.count for cell in own)))
        calibration = calibration_of(own, version)
        errors += [(labels, calibration.error)] if calibration else []
    diagnoses = diagnoses_of(None, days=LABEL_DAYS)
    outside = [({"diagnosis": row.answer}, row.count) for row in diagnoses.rows if row.is_outside]
    malignant = [({"diagnosis": row.answer}, row.count) for row in diagnoses.rows if row.is_malignant]
    missed = [({"diagnosis": row.answer}, row.calm) for row in diagnoses.rows if row.is_malignant]
    proven = [({"diagnosis": row.answer}, row.proven_calm) for row in diagnoses.rows if row.is_malignant]
    misses = miss_counts(None, days=LABEL_DAYS)
    by_result: list[Sample] = [({"diagnosis": answer}, count) for answer, count in misses.results.items()]
    by_report: list[Sample] = [({"diagnosis": answer}, count) for answer, count in misses.reports.items()]
    return [
        *_gauge(
            "dermascan_outside_12w",
            "Answers of the last 12 weeks with a confirmed diagnosis outside the seven classes.",
            outside,
        ),
        *_gauge(
            "dermascan_malignant_12w", "Answers of the last 12 weeks with a malignant confirmed diagnosis.", malignant
        ),
        *_gauge("dermascan_malignant_missed_12w", "Malignant confirmed diagnoses that were called calm.", missed),
        *_gauge("dermascan_malignant_missed_proven_12w", "Those of them that histopathology has proven.", proven),
        *_gauge(
            "dermascan_results_missed_12w",
            "Malignant laboratory results of the last 12 weeks of which an answer or a signed report had not warned.",
            by_result,
        ),
        *_gauge("dermascan_reports_missed_12w", "Signed reports that had not warned of those results.", by_report),
        *_gauge(
            "dermascan_confirmed_12w",
            "Answers of the last 12 weeks with a confirmed label of the seven classes.",
            labelled,
        ),
        *_gauge("dermascan_agreed_12w", "Those answers that agree with the label.", agreed),
        *_gauge("dermascan_calibration_error_12w", "Expected calibration error on those answers.", errors),
    ]


def _gauge(name: str, about: str, samples: Iterable[Sample]) -> list[str]:
    lines = [f"# HELP {name} {about}", f"# TYPE {name} gauge"]
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{inside}}} {value}" if inside else f"{name} {value}")
    return lines


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
