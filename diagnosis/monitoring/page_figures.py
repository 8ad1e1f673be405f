"""The figures and charts of the performance pages."""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from diagnosis.monitoring.activity import AGES, Day, Queue, days_of, queue_of
from diagnosis.monitoring.charts import Chart, Limit, Row
from diagnosis.monitoring.confirmed_diagnoses import diagnoses_of
from diagnosis.monitoring.days import newest_of_every_clinic, stored_days
from diagnosis.monitoring.drift_check import look_for_drift
from diagnosis.monitoring.label_agreement import (
    LABEL_DAYS,
    Agreement,
    Calibration,
    agreement_by_week,
    calibration_of,
    cells_of,
    versions_of,
)
from diagnosis.monitoring.measure_names import measure_name
from diagnosis.monitoring.misses import miss_counts
from diagnosis.monitoring.models import MonitoringDay
from mlmodel.network.drift import FEWEST, WINDOW
from mlmodel.versions.serving import active_analyser
from patients.models import Clinic

DAYS = 30


def figures_for(clinic: Clinic | None) -> dict[str, Any]:
    """Return the context of ``templates/monitoring/watch.html`` for one clinic, or for all."""
    queue, drift, answering = queue_of(clinic), look_for_drift(clinic), active_analyser().version
    days = days_of(clinic, days=DAYS)
    snapshots = _day_by_day(list(stored_days(clinic, days=DAYS)))
    cells = cells_of(clinic, days=LABEL_DAYS)
    versions = versions_of(cells)
    agreements = agreement_by_week(cells, {key: version.name for key, version in versions.items()})
    calibrations = [
        calibration for key in sorted(versions) if (calibration := calibration_of(cells, versions[key])) is not None
    ]
    return {
        "charts": [
            _agreement(agreements, answering=answering),
            _calibration(calibrations),
            _drift(snapshots),
            *_activity(days),
            _seconds(days),
            _ages(queue),
            _oldest(snapshots),
        ],
        "queue": queue,
        "diagnoses": diagnoses_of(clinic, days=LABEL_DAYS),
        "misses": miss_counts(clinic, days=LABEL_DAYS),
        "drift": drift,
        "measures": [(measure_name(each), each) for each in drift.measures] if drift else [],
        "clinics": [] if clinic else newest_of_every_clinic(),
        "answering": answering,
    }


def _day_by_day(snapshots: list[MonitoringDay]) -> list[tuple[date, MonitoringDay | None]]:
    """Return every day from the first snapshot to the last: days without one keep their place on the axis."""
    if not snapshots:
        return []
    by_day = {each.day: each for each in snapshots}
    first, last = snapshots[0].day, snapshots[-1].day
    days = [first + timedelta(days=count) for count in range((last - first).days + 1)]
    return [(day, by_day.get(day)) for day in days]


def _activity(days: list[Day]) -> list[Chart]:
    def count(slug: str, title: str, unit: str, empty: str) -> Chart:
        rows = [Row(_label(each.day), getattr(each, slug), str(getattr(each, slug))) for each in days]
        return Chart(slug=slug, title=title, rows=rows, along=_("Day"), unit=unit, empty=empty)

    def share(slug: str, tier: str, title: str, empty: str) -> Chart:
        words = _("%(share).0f %% (%(part)d of %(all)d)")
        rows = []
        for each in days:
            part, every = getattr(each, tier), each.predictions
            if every:
                figures = {"share": 100 * part / every, "part": part, "all": every}
                rows.append(Row(_label(each.day), part / every, words % figures))
            else:
                rows.append(Row(_label(each.day), None, _("no answers")))
        # The same scale for all three, so that they can be compared.
        return Chart(
            slug=slug,
            title=title,
            rows=rows,
            along=_("Day"),
            unit=_("Share of the day's answers"),
            empty=empty,
            is_share=True,
            top=1.0,
        )

    period = {"days": DAYS}
    no_answers = _("No photograph was analysed in the last %(days)d days.") % period
    no_refusals = _("No photograph was refused in the last %(days)d days.") % period
    no_urgent = _("No answer of the last %(days)d days was urgent.") % period
    none_in_tier = _("No answer of the last %(days)d days was in this tier.") % period
    return [
        count("predictions", _("Answers per day"), _("Answers"), no_answers),
        count("refused", _("Refused photographs per day"), _("Photographs"), no_refusals),
        share("urgent", "urgent", _("Daily share in the urgent tier"), no_urgent),
        share("look", "watch", _("Daily share in the watch tier"), none_in_tier),
        share("calm", "calm", _("Daily share in the calm tier"), none_in_tier),
    ]


def _seconds(days: list[Day]) -> Chart:
    limit = settings.WATCH_SLOWEST_SECONDS
    words = _("95 %% within %(p95).2f s, half within %(median).2f s")
    rows = []
    for each in days:
        if each.predictions:
            figures = {"p95": each.p95_seconds, "median": each.median_seconds}
            rows.append(Row(_label(each.day), each.p95_seconds, words % figures, mark=each.median_seconds))
        else:
            rows.append(Row(_label(each.day), None, _("no answers")))
    slowest = max((each.p95_seconds for each in days), default=0.0)
    return Chart(
        slug="seconds",
        title=_("Time for an answer"),
        rows=rows,
        along=_("Day"),
        unit=_("Seconds"),
        hint=_(
            "95 %% of a day's answers took no longer than its bar, and half no longer than the mark on it. More than "
            "%(limit)s s is an incident."
        )
        % {"limit": f"{limit:g}"},
        empty=_("Times appear here once photographs have been analysed."),
        # A limit far above the bars would flatten them.
        limit=Limit(limit, _("limit %s s") % f"{limit:g}") if slowest > limit / 4 else None,
    )


def _agreement(agreements: list[Agreement], *, answering: str) -> Chart:
    words = _("%(share).0f %% (%(low).0f–%(high).0f %%), %(agreed)d of %(count)d")
    rows = []
    for each in agreements:
        low, high = each.interval
        figures = {"share": 100 * each.share, "low": 100 * low, "high": 100 * high}
        rows.append(
            Row(
                f"{_label(each.week)}, {each.version}",
                each.share,
                words % {**figures, "agreed": each.agreed, "count": each.count},
                tick=_label(each.week),
                interval=(low, high),
                is_reference=each.version != answering,
            )
        )
    limit = settings.WATCH_LEAST_AGREEMENT
    return Chart(
        slug="agreement",
        title=_("Agreement with confirmed labels, by week and version"),
        rows=rows,
        along=_("Week and version"),
        unit=_("Agreement"),
        hint=_(
            "How often the network named the diagnosis that dermatologists confirmed, where it is one of the seven "
            "classes. The lines on the bars are 95 % intervals; grey bars are versions that are not active."
        ),
        empty=_("Agreement appears here once dermatologists have confirmed labels."),
        is_share=True,
        top=1.0,
        limit=Limit(limit, _("limit %s %%") % f"{100 * limit:g}"),
    )


def _calibration(calibrations: list[Calibration]) -> Chart:
    rows = []
    for each in calibrations:
        words = ngettext(
            "%(error).3f (%(low).3f–%(high).3f), %(count)d photograph",
            "%(error).3f (%(low).3f–%(high).3f), %(count)d photographs",
            each.count,
        )
        figures = {"error": each.error, "low": each.low, "high": each.high, "count": each.count}
        rows.append(Row(_("%s, here") % each.version, each.error, words % figures, interval=(each.low, each.high)))
        if each.released is not None:
            rows.append(_released(each))
    return Chart(
        slug="calibration",
        title=_("Calibration error, here and at release"),
        rows=rows,
        along=_("Version"),
        unit=_("Calibration error"),
        hint=_(
            "Whether the percentages can be trusted. 0 is best: of answers with 80 % confidence, 80 in 100 are "
            "correct. The lines on the bars are 95 % intervals. With few labels the error here looks larger than it "
            "is."
        ),
        empty=_("The error appears here, next to that of the release, once labels have been confirmed."),
    )


def _released(calibration: Calibration) -> Row:
    released = calibration.released
    assert released is not None
    unit = _("by photograph") if released.unit == "photographs" else _("by lesion")
    words, interval = f"{released.value:.3f}, {unit}", None
    if released.low is not None and released.high is not None:
        words, interval = (
            f"{released.value:.3f} ({released.low:.3f}–{released.high:.3f}), {unit}",
            (released.low, released.high),
        )
    return Row(_("%s, at release") % calibration.version, released.value, words, interval=interval, is_reference=True)


def _drift(snapshots: list[tuple[date, MonitoringDay | None]]) -> Chart:
    rows = []
    for day, each in snapshots:
        value, words = None, _("too few photographs to tell") if each else _("not checked")
        if each and each.distance is not None and each.limit:
            value = each.distance / each.limit
            words = _("%(share).0f %% (%(distance).2f of %(limit).2f), stability index %(psi).2f") % {
                "share": 100 * value,
                "distance": each.distance,
                "limit": each.limit,
                "psi": each.stability_index,
            }
        rows.append(Row(_label(day), value, words))
    return Chart(
        slug="drift-by-day",
        title=_("Distance from the photographs of the release"),
        rows=rows,
        along=_("Day"),
        unit=_("Share of the limit"),
        hint=_(
            "How much the newest %(count)d photographs differ from those of the release, as a percentage of the "
            "limit, at the last check of the day."
        )
        % {"count": WINDOW},
        empty=_("The distance appears here, one bar per day, once %(count)d photographs have been accepted.")
        % {"count": FEWEST},
        is_share=True,
        limit=Limit(1.0, _("limit")),
    )


def _ages(queue: Queue) -> Chart:
    edges = [0, *AGES]
    rows = []
    for index, (count, urgent) in enumerate(queue.ages):
        if index == 0:
            label = _("less than a day")
        elif index < len(AGES):
            label = _("%(first)d to %(last)d days") % {"first": edges[index], "last": edges[index + 1]}
        else:
            label = _("%d days or more") % edges[index]
        words = _("%(count)d, %(urgent)d of them urgent") if urgent else _("%(count)d") if count else _("none")
        rows.append(Row(label, count, words % {"count": count, "urgent": urgent}))
    return Chart(
        slug="queue-ages",
        title=_("Photographs waiting for a review now, by waiting time"),
        rows=rows,
        along=_("Waiting time"),
        unit=_("Photographs"),
        empty=_("No photograph waits for a review."),
    )


def _oldest(snapshots: list[tuple[date, MonitoringDay | None]]) -> Chart:
    words = _("oldest %(oldest).1f days, median %(median).1f days, %(waiting)d waiting")
    rows = []
    for day, each in snapshots:
        if each:
            figures = {"oldest": each.oldest_days, "median": each.median_days, "waiting": each.waiting}
            rows.append(Row(_label(day), each.oldest_days, words % figures, mark=each.median_days))
        else:
            rows.append(Row(_label(day), None, _("not checked")))
    return Chart(
        slug="queue-oldest",
        title=_("Waiting time of the oldest photograph"),
        rows=rows,
        along=_("Day"),
        unit=_("Days"),
        hint=_(
            "At the last check of the day. The mark is the median: half of the photographs have waited at least that "
            "long."
        ),
        empty=_("Waiting times appear here, one bar per day, once photographs have waited."),
    )


def _label(day: Any) -> str:
    return date_format(day, "j M")
