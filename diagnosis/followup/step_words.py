"""Plans in words: for the clinic's lists, and for the patient's report."""

import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from diagnosis.followup.models import LesionPlan, NextStep
from patients.models import Lesion


def step_for_patient(lesion: Lesion, step: str, due_on: datetime.date | None) -> str:
    """Return the next step as the report tells it: one line that names the spot, what happens, and by when."""
    params = {"lesion": str(lesion), "date": day(due_on)}
    match step:
        case NextStep.SEE_AGAIN:
            words = _("%(lesion)s: come again by %(date)s, so that it can be looked at.")
        case NextStep.BIOPSY:
            words = _("%(lesion)s: a sample is to be taken, or the spot removed, by %(date)s.")
        case NextStep.RESULT_AWAITED:
            words = _(
                "%(lesion)s: we are waiting for the laboratory’s result and expect it by %(date)s. Call us if you "
                "have not heard from us by then."
            )
        case NextStep.REFER:
            words = _("%(lesion)s: you are referred to another doctor, to be seen by %(date)s.")
        case _discharge:
            words = _(
                "%(lesion)s: no further appointment is planned for it. Come at once if it changes, grows, bleeds or "
                "hurts."
            )
    return words % params


def plan_in_words(plan: LesionPlan) -> str:
    """Return the plan for the clinic, such as “Biopsy or excision by 3 May 2026”."""
    return step_in_words(plan.step, plan.due_on)


def step_in_words(step: str, due_on: datetime.date | None) -> str:
    """Return a next step for the clinic, as ``plan_in_words``."""
    label = NextStep(step).label
    return _("%(step)s by %(date)s") % {"step": label, "date": day(due_on)} if due_on else str(label)


def overdue_in_words(plan: LesionPlan) -> str:
    """Return for how long the plan is overdue; empty if it is not."""
    if not plan.is_overdue:
        return ""
    days = plan.days_overdue
    return ngettext("%(days)d day overdue", "%(days)d days overdue", days) % {"days": days}


def day(date: datetime.date | None) -> str:
    return date_format(date, "j F Y") if date else ""
