import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from diagnosis.images.models.image import Image
from patients.models import Member


class ExclusionReason(models.TextChoices):
    """Why a photograph was excluded."""

    OTHER_PATIENT = "other_patient", _("It shows another patient")
    OTHER_LESION = "other_lesion", _("It shows another lesion")
    TAKEN_TWICE = "taken_twice", _("It was added twice")
    UNFIT = "unfit", _("It cannot be used")
    # Never chosen for one photograph: the visit's correction sets it, and ends it.
    VOID_VISIT = "void_visit", _("Its visit was entered by mistake")


class ExclusionQuerySet(models.QuerySet["Exclusion"]):
    def standing(self) -> "ExclusionQuerySet":
        """Exclusions that have not been undone."""
        return self.filter(ended_at__isnull=True)

    def of_another_patient(self) -> "ExclusionQuerySet":
        """Photographs of another patient, which the patient whose record holds them must not see."""
        return self.standing().filter(reason=ExclusionReason.OTHER_PATIENT)


class Exclusion(models.Model):
    """The exclusion of a photograph: it stays stored and is not used anywhere until the exclusion is undone.

    Only the end may be written, once. A photograph that is excluded again gets another row.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="exclusions")
    reason = models.CharField(max_length=16, choices=ExclusionReason)
    note = models.CharField(max_length=300, blank=True, default="")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, help_text=_("When the exclusion was undone."))

    objects = ExclusionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["image"], condition=Q(ended_at__isnull=True), name="photograph_is_excluded_once_at_a_time"
            ),
            models.CheckConstraint(condition=Q(reason__in=ExclusionReason.values), name="exclusion_reason_is_known"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_by__isnull=False, ended_at__isnull=False, ended_at__gte=F("created_at")),
                name="exclusion_ends_after_it_began_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_reason_display())

    @property
    def shows_other_patient(self) -> bool:
        return self.reason == ExclusionReason.OTHER_PATIENT

    @property
    def does_not_count(self) -> str:
        return gettext("It is not used anywhere: do not rely on anything recorded about it.")
