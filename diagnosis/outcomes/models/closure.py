import uuid
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from diagnosis.images.models import Image
from patients.models import Lesion, Member
from patients.models.clinic_rows import ClinicRows


class ClosureReason(models.TextChoices):
    """Why a lesion is no longer followed."""

    EXCISED = "excised", _("Excised, no further follow-up needed")
    HARMLESS = "harmless", _("Harmless, discharged")
    GONE = "gone", _("No longer there")
    ELSEWHERE = "elsewhere", _("Followed elsewhere")
    OTHER = "other", _("Another reason")


class LesionClosureQuerySet(ClinicRows["LesionClosure"]):
    path_to_clinic = "lesion__patient__clinic"

    def visible_to(self, member: Member | None) -> Self:
        """EXISTS rather than a join, so that the few that were reopened are not looked for by patient."""
        return self.filter(Exists(Lesion.objects.visible_to(member).filter(pk=OuterRef("lesion")).order_by()))

    def standing(self) -> "LesionClosureQuerySet":
        """Closures that have not ended by reopening."""
        return self.filter(reopened_at__isnull=True)

    def still_true(self) -> "LesionClosureQuerySet":
        """Standing closures of lesions that were not photographed since: these need no next step."""
        since = Image.objects.in_use().filter(lesion=OuterRef("lesion"), created_at__gt=OuterRef("created_at"))
        return self.standing().filter(~Exists(since.order_by()))


class LesionClosure(models.Model):
    """The decision that a lesion is no longer followed. Only its end, the reopening, may be written later, once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, related_name="closures")
    why = models.CharField(max_length=10, choices=ClosureReason)
    note = models.TextField(blank=True, default="")
    closed_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    reopened_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    reopened_at = models.DateTimeField(null=True)
    reopening_reason = models.TextField(null=True)

    objects = LesionClosureQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["lesion"], condition=Q(reopened_at__isnull=True), name="lesion_is_closed_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(why__in=ClosureReason.values), name="lesion_is_closed_for_a_known_reason"
            ),
            models.CheckConstraint(
                condition=~Q(why=ClosureReason.OTHER) | ~Q(note=""),
                name="lesion_is_closed_with_another_reason_in_words",
            ),
            models.CheckConstraint(
                condition=Q(reopened_at__isnull=True, reopened_by__isnull=True, reopening_reason__isnull=True)
                | (
                    Q(reopened_at__isnull=False, reopened_by__isnull=False, reopening_reason__isnull=False)
                    & ~Q(reopening_reason="")
                ),
                name="lesion_is_reopened_by_someone_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["reopened_at"], condition=Q(reopened_at__isnull=False), name="reopened_lesions")
        ]

    def __str__(self) -> str:
        return str(self.get_why_display())
