import uuid

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from patients.models import Clinic, Member
from patients.models.clinic_rows import ClinicRows


class CorrectionKind(models.TextChoices):
    """The mistakes that can be mended, as the record tells them afterwards."""

    MOVE_PHOTOGRAPH = "photograph", _("Photograph moved")
    MOVE_LESION = "lesion", _("Lesion moved to another patient")
    MOVE_VISIT = "visit", _("Visit moved to another patient")
    VOID_VISIT = "void", _("Visit marked as entered by mistake")
    MERGE_PATIENTS = "merge", _("Records of one patient merged")


class CorrectionQuerySet(ClinicRows["Correction"]):
    path_to_clinic = "clinic"

    def standing(self) -> "CorrectionQuerySet":
        """Corrections that have not been undone."""
        return self.filter(undone_at__isnull=True)

    def of(self, record: models.Model) -> "CorrectionQuerySet":
        """The corrections that touched a patient, visit, lesion or photograph."""
        touched = CorrectedRecord.objects.filter(kind=record._meta.model_name, record=record.pk)
        return self.filter(pk__in=touched.values("correction"))


class Correction(models.Model):
    """One mended mistake: what was before, what is after, who, when and why. Append-only but for its end.

    Attributes of ``steps``: the changed rows in order, each with the values before and after; undoing reverses them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=CorrectionKind)
    reason = models.CharField(max_length=500)
    title = models.CharField(max_length=300, help_text=_("What was corrected, in words."))
    numbers = models.JSONField(default=dict, help_text=_("How many rows of each kind it touched."))
    notices = models.JSONField(default=list, help_text=_("What its preview said would happen."))
    steps = models.JSONField(help_text=_("Each changed row, with its values before and after."))
    created = models.JSONField(default=list, help_text=_("The rows that it added."))
    state = models.JSONField(default=dict, help_text=_("What must still be so for it to be undone."))
    by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    undone_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_reason = models.CharField(max_length=500, null=True)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=CorrectionKind.values), name="correction_kind_is_known"),
            models.CheckConstraint(condition=~Q(reason="") & ~Q(title=""), name="correction_says_what_and_why"),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by__isnull=True, undone_reason__isnull=True)
                | (
                    Q(undone_by__isnull=False, undone_reason__isnull=False, undone_at__gte=F("at"))
                    & ~Q(undone_reason="")
                ),
                name="correction_is_undone_by_someone_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def get_absolute_url(self) -> str:
        return reverse("correction", args=[self.pk])

    @property
    def is_undone(self) -> bool:
        return self.undone_at is not None


class CorrectedRecord(models.Model):
    """One record that a correction touched, so that the record's page tells of it. Append-only."""

    correction = models.ForeignKey(Correction, on_delete=models.PROTECT, related_name="records")
    kind = models.CharField(max_length=10)
    # Not a foreign key: rows of four tables are meant.
    record = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["correction", "kind", "record"], name="correction_names_a_record_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["patient", "visit", "lesion", "image"]), name="corrected_record_kind_is_known"
            ),
        ]
        indexes = [models.Index(fields=["kind", "record"], name="corrections_of_a_record")]

    def __str__(self) -> str:
        return f"{self.kind} {self.record}"
