"""The figures in the words and charts of the watch's pages."""

from typing import Any

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from diagnosis.monitoring.activity import AGES, Day, Queue, days_of, queue_of
from diagnosis.monitoring.charts import Chart, Row, bars
from diagnosis.monitoring.confirmed_diagnoses import diagnoses_of
from diagnosis.monitoring.days import kept_days, newest_of_every_clinic
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
from mlmodel.network.drift import FEWEST, WINDOW
from mlmodel.versions.serving import active_analyser
from patients.models import Clinic

DAYS = 30


def figures_for(clinic: Clinic | None) -> dict[str, Any]:
    """Return what ``templates/monitoring/watch.html`` shows of one clinic, or of all."""
    queue, drift = queue_of(clinic), look_for_drift(clinic)
    found = days_of(clinic, days=DAYS)
    kept = list(kept_days(clinic, days=DAYS))
    cells = cells_of(clinic, days=LABEL_DAYS)
    versions = versions_of(cells)
    agreements = agreement_by_week(cells, {key: version.name for key, version in versions.items()})
    calibrations = [
        calibration for key in sorted(versions) if (calibration := calibration_of(cells, versions[key])) is not None
    ]
    return {
        "charts": [
            _agreement(agreements),
            _calibration(calibrations),
            _drift(kept),
            *_work(found),
            _seconds(found),
            _ages(queue),
            _oldest(kept),
        ],
        "queue": queue,
        "diagnoses": diagnoses_of(clinic, days=LABEL_DAYS),
        "drift": drift,
        "measures": [(measure_name(each), each) for each in drift.measures] if drift else [],
        "clinics": [] if clinic else newest_of_every_clinic(),
        "answering": active_analyser().version,
    }


def _work(found: list[Day]) -> list[Chart]:
    def count(slug: str, title: str, empty: str) -> Chart:
        rows = [Row(_label(each.day), getattr(each, slug), str(getattr(each, slug))) for each in found]
        return bars(slug=slug, title=title, rows=rows, empty=empty)

    def share(slug: str, tier: str, title: str, empty: str) -> Chart:
        rows = []
        for each in found:
            part = getattr(each, tier)
            value = part / each.predictions if each.predictions else 0.0
            words = _("%(share).0f %% (%(part)d of %(all)d)")
            rows.append(
                Row(_label(each.day), value, words % {"share": 100 * value, "part": part, "all": each.predictions})
            )
        # All of the same height, so that the three can be set side by side.
        return bars(slug=slug, title=title, rows=rows, hint=_("The full height is 100 %."), empty=empty, top=1.0)

    period = {"days": DAYS}
    not_judged = _("No photograph was judged in these %(days)d days.") % period
    not_refused = _("No photograph was refused in these %(days)d days.") % period
    not_urgent = _("No answer of these %(days)d days was urgent.") % period
    not_in_it = _("No answer of these %(days)d days was in it.") % period
    return [
        count("predictions", _("Answers a day"), not_judged),
        count("refused", _("Refused photographs a day"), not_refused),
        share("urgent", "urgent", _("Share in the urgent tier a day"), not_urgent),
        share("look", "watch", _("Share in the middle tier a day"), not_in_it),
        share("calm", "calm", _("Share in the calm tier a day"), not_in_it),
    ]


def _seconds(found: list[Day]) -> Chart:
    limit = settings.WATCH_SLOWEST_SECONDS
    words = _("95 in 100 within %(p95).2f s, half within %(median).2f s")
    rows = [
        Row(
            _label(each.day),
            each.p95_seconds,
            words % {"p95": each.p95_seconds, "median": each.median_seconds} if each.predictions else _("none"),
            mark=each.median_seconds if each.predictions else None,
        )
        for each in found
    ]
    slowest = max((each.p95_seconds for each in found), default=0.0)
    return bars(
        slug="seconds",
        title=_("Seconds for an answer"),
        rows=rows,
        hint=_(
            "A bar holds 95 in 100 answers of a day, its stroke half of them. More than %(limit)s s is an incident."
        )
        % {"limit": f"{limit:g}"},
        empty=_("Times will be here when photographs have been judged."),
        # Far from the limit the line would press all bars flat.
        limit=limit if slowest > limit / 4 else None,
    )


def _agreement(found: list[Agreement]) -> Chart:
    words = _("%(share).0f %% (%(low).0f–%(high).0f %%), %(agreed)d of %(count)d")
    rows = []
    for each in found:
        low, high = each.interval
        figures = {"share": 100 * each.share, "low": 100 * low, "high": 100 * high}
        rows.append(
            Row(
                f"{_label(each.week)}, {each.version}",
                each.share,
                words % {**figures, "agreed": each.agreed, "count": each.count},
                interval=(low, high),
            )
        )
    return bars(
        slug="agreement",
        title=_("Agreement with confirmed labels, by week and version"),
        rows=rows,
        hint=_(
            "Of labels that are one of the seven classes. The full height is 100 %. Lines are 95 % intervals; the "
            "dashed line is the limit."
        ),
        empty=_("Agreement will be here when dermatologists have confirmed labels."),
        top=1.0,
        limit=settings.WATCH_LEAST_AGREEMENT,
    )


def _calibration(found: list[Calibration]) -> Chart:
    rows = []
    for each in found:
        words = ngettext(
            "%(error).3f (%(low).3f–%(high).3f), %(count)d photograph",
            "%(error).3f (%(low).3f–%(high).3f), %(count)d photographs",
            each.count,
        )
        figures = {"error": each.error, "low": each.low, "high": each.high, "count": each.count}
        rows.append(Row(_("%s, here") % each.version, each.error, words % figures, interval=(each.low, each.high)))
        if each.released is not None:
            rows.append(_released(each))
    return bars(
        slug="calibration",
        title=_("Calibration error, here and at release"),
        rows=rows,
        hint=_(
            "0 is best: of answers with 80 % confidence 80 in 100 are right. Lines are 95 % intervals. Few labels "
            "make the error here larger than it is."
        ),
        empty=_("The error will be here, beside that of the release, when labels have been confirmed."),
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
    return Row(_("%s, at release") % calibration.version, released.value, words, interval=interval)


def _drift(kept: list[Any]) -> Chart:
    rows = []
    for each in kept:
        value, words = 0.0, _("too few photographs to tell")
        if each.distance is not None and each.limit:
            value = each.distance / each.limit
            words = _("%(share).0f %% (%(distance).2f of %(limit).2f), stability index %(psi).2f") % {
                "share": 100 * value,
                "distance": each.distance,
                "limit": each.limit,
                "psi": each.stability_index,
            }
        rows.append(Row(_label(each.day), value, words))
    return bars(
        slug="drift-by-day",
        title=_("Distance from the release's photographs"),
        rows=rows,
        hint=_("The day's last look at the newest %(count)d, in per cent of the limit. The dashed line is the limit.")
        % {"count": WINDOW},
        empty=_("The distance will be here, a bar a day, when %(count)d photographs have been accepted.")
        % {"count": FEWEST},
        limit=1.0,
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
            label = _("%d days and more") % edges[index]
        words = _("%(count)d, %(urgent)d of them urgent") if urgent else _("%(count)d") if count else _("none")
        rows.append(Row(label, count, words % {"count": count, "urgent": urgent}))
    return bars(
        slug="queue-ages",
        title=_("What waits for a review now, by how long"),
        rows=rows,
        empty=_("Nothing waits for a review."),
    )


def _oldest(kept: list[Any]) -> Chart:
    words = _("oldest %(oldest).1f days, half %(median).1f days, %(waiting)d wait")
    rows = [
        Row(
            _label(each.day),
            each.oldest_days,
            words % {"oldest": each.oldest_days, "median": each.median_days, "waiting": each.waiting},
            mark=each.median_days,
        )
        for each in kept
    ]
    return bars(
        slug="queue-oldest",
        title=_("Days that the oldest photograph waits for a review"),
        rows=rows,
        hint=_("The day's last look. The stroke is how long half of the photographs have waited at least."),
        empty=_("Ages will be here, a bar a day, when photographs have waited."),
    )


def _label(day: Any) -> str:
    return date_format(day, "j M")
