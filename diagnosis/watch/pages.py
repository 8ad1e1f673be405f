"""The figures in the words and charts of the watch's pages."""

from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from mlmodel.serving import active_analyser
from patients.models import Clinic

from .charts import Chart, bars
from .figures import Day, agreement_of, calibration_error_of, days_of, queue_of

DAYS = 30
WEEKS_DAYS = 84


def figures_for(clinic: Clinic | None) -> dict[str, Any]:
    """Return what ``templates/diagnosis/watch.html`` shows of one clinic, or of all."""
    found = days_of(clinic, days=DAYS)
    waiting, oldest = queue_of(clinic)
    calibration = calibration_error_of(clinic, days=WEEKS_DAYS)
    locked = active_analyser().release.settings.get("locked_test", {}).get("photographs", {})
    return {
        "charts": [*_by_day(found), _agreement(clinic)],
        "waiting": waiting,
        "oldest": oldest,
        "calibration": calibration,
        "released_calibration": locked.get("calibration_error"),
    }


def _by_day(found: list[Day]) -> list[Chart]:
    def chart(slug: str, title: str, name: str, *, words: str = "{}") -> Chart:
        rows = []
        for each in found:
            value = getattr(each, name)
            rows.append((date_format(each.day, "j M"), float(value), words.format(value)))
        return bars(slug=slug, title=title, rows=rows)

    return [
        chart("predictions", _("Answers a day"), "predictions"),
        chart("refused", _("Refused photographs a day"), "refused"),
        chart("urgent", _("Answers in the urgent tier a day"), "urgent"),
        chart("look", _("Answers in the middle tier a day"), "watch"),
        chart("calm", _("Answers in the calm tier a day"), "calm"),
        chart("seconds", _("Seconds for an answer, mean of the day"), "seconds", words="{:.2f}"),
    ]


def _agreement(clinic: Clinic | None) -> Chart:
    rows = []
    for each in agreement_of(clinic, days=WEEKS_DAYS):
        low, high = each.interval
        label = f"{date_format(each.week, 'j M')}, {each.version}"
        rows.append((label, each.share, f"{each.share:.0%} ({low:.0%} – {high:.0%}), {each.agreed} / {each.count}"))
    return bars(slug="agreement", title=_("Agreement with confirmed labels, by week and version"), rows=rows, top=1.0)
