import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mlmodel.network.threshold_levels import UrgentLevel, WatchLevel
from patients.models import Clinic, Member
from patients.models.clinic_rows import ClinicRows

WATCH_LEVELS = [
    (WatchLevel.FEWER.value, _("Fewer of them")),
    (WatchLevel.RELEASED.value, _("As released")),
    (WatchLevel.MORE.value, _("More cautious")),
    (WatchLevel.MOST.value, _("Most cautious")),
]
URGENT_LEVELS = [
    (UrgentLevel.FEWER.value, _("Fewer urgent results")),
    (UrgentLevel.RELEASED.value, _("As released")),
    (UrgentLevel.MORE.value, _("More urgent results")),
]


class MixChoice(models.TextChoices):
    """The class mix for which percentages are calibrated from now on."""

    RELEASED = "released", _("The release's")
    KEPT = "kept", _("As chosen before")
    OWN = "own", _("This clinic's own, from its confirmed labels now")


class AnswerSettingsQuerySet(ClinicRows["AnswerSettings"]):
    path_to_clinic = "clinic"


class AnswerSettings(models.Model):
    """A clinic's thresholds for the two tiers and its class mix. Append-only: the newest row counts.

    ``class_mix`` holds shares by code; it is empty for the release's own mix.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="answer_settings")
    number = models.PositiveIntegerField(help_text=_("Counted within the clinic, from 1."))
    watch = models.CharField(max_length=8, choices=WATCH_LEVELS)
    urgent = models.CharField(max_length=8, choices=URGENT_LEVELS)
    class_mix = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=500)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AnswerSettingsQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "number"], name="one_answer_settings_at_a_time"),
            models.CheckConstraint(
                condition=Q(watch__in=[level.value for level in WatchLevel]), name="watch_level_is_known"
            ),
            models.CheckConstraint(
                condition=Q(urgent__in=[level.value for level in UrgentLevel]), name="urgent_level_is_known"
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="answer_settings_count_from_1"),
            models.CheckConstraint(condition=~Q(reason=""), name="answer_settings_have_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.get_watch_display()}, {self.get_urgent_display()}"

    @property
    def moves_thresholds(self) -> bool:
        return self.watch != WatchLevel.RELEASED or self.urgent != UrgentLevel.RELEASED
