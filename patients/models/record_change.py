import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from patients.models.clinic import Clinic
from patients.models.clinic_rows import ClinicRows

LONGEST_REASON = 500


class RecordKind(models.TextChoices):
    """The records whose changes are kept; each value is the name of its model."""

    PATIENT = "patient", _("Patient")
    VISIT = "visit", _("Visit")
    LESION = "lesion", _("Lesion")
    CLINIC = "clinic", _("Clinic")
    MEMBER = "member", _("Member")
    DEVICE = "device", _("Device")


class RecordChangeQuerySet(ClinicRows["RecordChange"]):
    path_to_clinic = "clinic"

    def of(self, record: models.Model) -> "RecordChangeQuerySet":
        """Return the changes of one record."""
        return self.filter(kind=record._meta.model_name, record=record.pk)


class RecordChange(models.Model):
    """One change of a record: each field's value before and after, who, when and why. Append-only.

    Written only by ``patients.history``. The first state needs no row: it is the newest one with its changes undone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=RecordKind)
    # Not a foreign key: rows of five tables are meant.
    record = models.UUIDField()
    number = models.PositiveIntegerField(help_text=_("Counts the record's changes from 1."))
    changes = models.JSONField(help_text=_("By field: the values before and after."))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=LONGEST_REASON, blank=True, default="")

    objects = RecordChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            # Timestamps may tie or go back; the number cannot. Its index also finds a record's changes.
            models.UniqueConstraint(fields=["kind", "record", "number"], name="record_change_number_is_unique"),
            models.CheckConstraint(condition=Q(number__gte=1), name="record_change_number_starts_at_one"),
            models.CheckConstraint(condition=Q(kind__in=RecordKind.values), name="record_change_kind_is_known"),
            models.CheckConstraint(condition=~Q(changes={}), name="record_change_changes_something"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {', '.join(self.changes)}"
