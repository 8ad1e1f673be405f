"""URLs of plans and reminders."""

from django.urls import URLPattern, path

from diagnosis.followup import reminder_views, views

urlpatterns: list[URLPattern] = [
    path("lesions/<uuid:lesion_id>/plan/", views.lesion_plan, name="lesion-plan"),
    path("plans/<uuid:plan_id>/done/", views.done, name="plan-done"),
    path("plans/<uuid:plan_id>/cancel/", views.cancel, name="plan-cancel"),
    path("reminders/", reminder_views.reminders, name="reminders"),
    path("patients/<uuid:patient_id>/reminders/stop/", reminder_views.stop, name="reminders-stop"),
    path("patients/<uuid:patient_id>/reminders/resume/", reminder_views.resume, name="reminders-resume"),
]
