import datetime
import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from patients.models import Clinic, Lesion, Member, Visit
from patients.models.clinic_rows import ClinicRows

# A result that takes longer is late: a laboratory answers within two weeks, and a lost specimen must be noticed.
LATE_AFTER = timedelta(days=30)


class SpecimenKind(models.TextChoices):
    SHAVE = "shave", _("Shave biopsy")
    PUNCH = "punch", _("Punch biopsy")
    INCISIONAL = "incisional", _("Incisional biopsy")
    EXCISION = "excision", _("Excision")


class SpecimenQuerySet(ClinicRows["Specimen"]):
    path_to_clinic = "clinic"

    def standing(self) -> "SpecimenQuerySet":
        """Specimens that were not withdrawn as mistakes."""
        return self.filter(withdrawn_at__isnull=True)

    def awaited(self) -> "SpecimenQuerySet":
        """Standing specimens without a standing result."""
        return self.standing().exclude(self._has_result())

    def with_result(self) -> "SpecimenQuerySet":
        """Standing specimens with a standing result, confirmed or not."""
        return self.standing().filter(self._has_result())

    def late(self) -> "SpecimenQuerySet":
        """Specimens that were sent longer ago than a result should take."""
        return self.filter(sent_on__lt=timezone.localdate() - LATE_AFTER)

    def _has_result(self) -> Exists:
        from diagnosis.outcomes.models.pathology import PathologyResult

        return Exists(PathologyResult.objects.filter(specimen=OuterRef("pk"), withdrawn_at__isnull=True).order_by())


class Specimen(models.Model):
    """Tissue of one lesion that was sent to a laboratory. Append-only, which a database trigger enforces.

    Only a number that was not known yet may be added, and the withdrawal of a specimen that was recorded by mistake.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # A copy of the patient's clinic, so that the database can tell the numbers of one clinic apart.
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, related_name="specimens")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True, related_name="specimens")
    kind = models.CharField(max_length=12, choices=SpecimenKind)
    # Null until the laboratory has given one.
    number = models.CharField(max_length=40, null=True)
    number_key = models.CharField(
        max_length=60, null=True, help_text=_("The number without case, spaces and dashes, for comparison.")
    )
    sent_on = models.DateField()
    sent_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    laboratory = models.CharField(max_length=120, blank=True, default="")
    recorded_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawal_reason = models.TextField(null=True)

    objects = SpecimenQuerySet.as_manager()

    class Meta:
        ordering = ["-sent_on", "-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=SpecimenKind.values), name="specimen_kind_is_known"),
            models.CheckConstraint(
                condition=Q(number__isnull=True, number_key__isnull=True)
                | (Q(number__isnull=False, number_key__isnull=False) & ~Q(number="") & ~Q(number_key="")),
                name="specimen_number_is_not_empty",
            ),
            models.UniqueConstraint(
                fields=["clinic", "number_key"],
                condition=Q(withdrawn_at__isnull=True),
                name="specimen_number_is_unique_in_the_clinic",
            ),
            models.CheckConstraint(
                condition=Q(sent_on__gte=datetime.date(1990, 1, 1)), name="specimen_date_is_plausible"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True, withdrawal_reason__isnull=True)
                | (
                    Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False, withdrawal_reason__isnull=False)
                    & ~Q(withdrawal_reason="")
                ),
                name="specimen_is_withdrawn_by_someone_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["clinic", "sent_on", "id"],
                condition=Q(withdrawn_at__isnull=True),
                name="specimens_by_age",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        kind = str(SpecimenKind(self.kind).label)
        return _("%(kind)s %(number)s") % {"kind": kind, "number": self.number} if self.number else kind

    @property
    def is_excision(self) -> bool:
        return self.kind == SpecimenKind.EXCISION

    @property
    def days_since(self) -> int:
        """The number of days since it was sent."""
        return (timezone.localdate() - self.sent_on).days

    @property
    def is_late(self) -> bool:
        """Whether a result that has not arrived is late."""
        return self.days_since > LATE_AFTER.days
