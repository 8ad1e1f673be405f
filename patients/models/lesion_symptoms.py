"""What the patient reports of one lesion at one visit, of which the newest statement counts."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models.clinic_rows import ClinicRows
from patients.models.lesion import Lesion
from patients.models.member import Member
from patients.models.user import User
from patients.models.visit import SYMPTOMS, WARNING_SYMPTOMS, Visit


class SymptomAnswer(models.TextChoices):
    """Whether the patient reports a symptom. Silence is not a no."""

    NOT_ASKED = "", _("Not asked")
    NO = "no", _("No")
    YES = "yes", _("Yes")


class LesionSymptomsQuerySet(ClinicRows["LesionSymptoms"]):
    path_to_clinic = "visit__patient__clinic"


class LesionSymptoms(models.Model):
    """One statement of a lesion's symptoms at a visit. Append-only: the newest of the lesion at the visit counts.

    A database trigger, created in a migration, refuses changes to a row. The service adds none to a signed visit.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, related_name="lesion_symptoms")
    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, related_name="symptoms")
    number = models.PositiveIntegerField(help_text=_("Counts the statements on this lesion at this visit from 1."))
    itch = models.CharField(_("itches"), max_length=3, choices=SymptomAnswer, blank=True, default="")
    pain = models.CharField(_("hurts"), max_length=3, choices=SymptomAnswer, blank=True, default="")
    bleeding = models.CharField(_("bleeds"), max_length=3, choices=SymptomAnswer, blank=True, default="")
    growth = models.CharField(_("has grown or changed"), max_length=3, choices=SymptomAnswer, blank=True, default="")
    since = models.CharField(_("how long, or since when"), max_length=100, blank=True, default="")
    recorded_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = LesionSymptomsQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("symptoms of a lesion")
        ordering = ["visit", "lesion", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["visit", "lesion", "number"], name="lesion_symptoms_number_is_unique"),
            models.CheckConstraint(condition=Q(number__gte=1), name="lesion_symptoms_number_starts_at_one"),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{name}__in": SymptomAnswer.values}), name=f"{name}_of_the_lesion_is_known"
                )
                for name in SYMPTOMS
            ),
        ]

    def __str__(self) -> str:
        return ", ".join(self.reported) or str(_("No symptoms reported"))

    @property
    def reported(self) -> list[str]:
        """The labels of the symptoms that the patient reports."""
        return self._labels(SYMPTOMS, SymptomAnswer.YES)

    @property
    def warnings(self) -> list[str]:
        """The labels of the reported symptoms that call for a dermatologist."""
        return self._labels(WARNING_SYMPTOMS, SymptomAnswer.YES)

    @property
    def denied(self) -> list[str]:
        """The labels of the symptoms that the patient was asked about and does not have."""
        return self._labels(SYMPTOMS, SymptomAnswer.NO)

    @property
    def not_asked(self) -> list[str]:
        return self._labels(SYMPTOMS, SymptomAnswer.NOT_ASKED)

    @property
    def changed_by(self) -> User:
        return self.recorded_by.user

    @property
    def changed_at(self) -> datetime:
        return self.recorded_at

    def _labels(self, names: tuple[str, ...], answer: SymptomAnswer) -> list[str]:
        return [str(self._meta.get_field(name).verbose_name) for name in names if getattr(self, name) == answer]  # type: ignore[union-attr]
