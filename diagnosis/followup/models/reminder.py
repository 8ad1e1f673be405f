import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from diagnosis.followup.models.plan import LesionPlan
from patients.models import Clinic, Member, Patient
from patients.models.clinic_rows import ClinicRows

MOST_DAYS = 60


class Occasion(models.TextChoices):
    """When a plan's patient is reminded: once before its date, and once after it has passed."""

    BEFORE = "before", _("Before the date")
    AFTER = "after", _("After the date has passed")


class StopReason(models.TextChoices):
    """Why no reminders are sent to a patient."""

    REFUSED = "refused", _("The patient does not want reminders by e-mail")
    BOUNCES = "bounces", _("E-mails to the address come back")


class ReminderSettingsQuerySet(ClinicRows["ReminderSettings"]):
    path_to_clinic = "clinic"


class ReminderSettings(models.Model):
    """Whether and when a clinic reminds its patients by e-mail. Append-only: the newest row counts; none means off."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="reminder_settings")
    number = models.PositiveIntegerField(help_text=_("Counted within the clinic, from 1."))
    is_on = models.BooleanField(_("send reminders"))
    days_before = models.PositiveSmallIntegerField(
        _("days before the date"), null=True, validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)]
    )
    days_after = models.PositiveSmallIntegerField(
        _("days after the date"), null=True, validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)]
    )
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReminderSettingsQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "number"], name="one_reminder_settings_at_a_time"),
            models.CheckConstraint(condition=Q(number__gte=1), name="reminder_settings_count_from_1"),
            models.CheckConstraint(
                condition=Q(is_on=False) | Q(days_before__isnull=False) | Q(days_after__isnull=False),
                name="reminders_that_are_on_have_an_occasion",
            ),
            models.CheckConstraint(
                condition=(Q(days_before__isnull=True) | Q(days_before__gte=1, days_before__lte=MOST_DAYS))
                & (Q(days_after__isnull=True) | Q(days_after__gte=1, days_after__lte=MOST_DAYS)),
                name="reminder_days_are_plausible",
            ),
        ]

    def __str__(self) -> str:
        return str(_("On") if self.is_on else _("Off"))


class ReminderStopQuerySet(ClinicRows["ReminderStop"]):
    path_to_clinic = "patient__clinic"

    def standing(self) -> "ReminderStopQuerySet":
        return self.filter(ended_at__isnull=True)


class ReminderStop(models.Model):
    """A patient's refusal of reminders, or an address that bounces. Only its end is written, once.

    An address that bounces stops reminders to that address alone: a corrected one is written to.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="reminder_stops")
    reason = models.CharField(max_length=8, choices=StopReason)
    address = models.CharField(max_length=254, blank=True, default="")
    stated_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    stated_at = models.DateTimeField(default=timezone.now)
    ended_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    objects = ReminderStopQuerySet.as_manager()

    class Meta:
        ordering = ["-stated_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "reason", "address"],
                condition=Q(ended_at__isnull=True),
                name="reminders_are_stopped_once_for_a_reason",
            ),
            models.CheckConstraint(condition=Q(reason__in=StopReason.values), name="reminder_stop_has_a_known_reason"),
            models.CheckConstraint(
                condition=Q(reason=StopReason.REFUSED, address="") | (Q(reason=StopReason.BOUNCES) & ~Q(address="")),
                name="reminder_stop_names_the_address_that_bounces",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_by__isnull=False, ended_at__isnull=False, ended_at__gte=F("stated_at")),
                name="reminder_stop_ends_after_it_began_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_reason_display())


class Reminder(models.Model):
    """That a plan's patient was reminded on an occasion. The e-mail is the outbox's message about this row.

    Several plans of one patient share one e-mail: the others name the reminder that it was sent with.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    plan = models.ForeignKey(LesionPlan, on_delete=models.PROTECT, related_name="reminders")
    occasion = models.CharField(max_length=6, choices=Occasion)
    sent_with = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="others")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "occasion"], name="one_reminder_of_a_plan_and_occasion"),
            models.CheckConstraint(condition=Q(occasion__in=Occasion.values), name="reminder_occasion_is_known"),
        ]

    def __str__(self) -> str:
        return str(self.get_occasion_display())
