from diagnosis.followup.models.plan import STAFF_STEPS, Ending, LesionPlan, NextStep
from diagnosis.followup.models.reminder import Occasion, Reminder, ReminderSettings, ReminderStop, StopReason
from diagnosis.followup.models.source import PlanSource
from diagnosis.followup.models.today_filter import TodayFilter, Whose

__all__ = [
    "STAFF_STEPS",
    "Ending",
    "LesionPlan",
    "NextStep",
    "Occasion",
    "PlanSource",
    "Reminder",
    "ReminderSettings",
    "ReminderStop",
    "StopReason",
    "TodayFilter",
    "Whose",
]
