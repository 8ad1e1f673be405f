"""What a patient was asked about their risk: one row for each answer, of which the newest counts."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models.clinic_rows import ClinicRows
from patients.models.member import Member
from patients.models.patient import Patient
from patients.models.user import User


class RiskKind(models.TextChoices):
    MELANOMA = "melanoma", _("Previous melanoma")
    OTHER_SKIN_CANCER = "other_skin_cancer", _("Other skin cancer")
    FAMILY_MELANOMA = "family_melanoma", _("Melanoma in the family")
    IMMUNOSUPPRESSION = "immunosuppression", _("Immunosuppression")
    MOLES = "moles", _("Number of moles")
    ANTICOAGULANTS = "anticoagulants", _("Anticoagulants")
    ALLERGIES = "allergies", _("Allergies")


class RiskAnswer(models.TextChoices):
    # Also withdraws an answer that was recorded by mistake.
    NOT_ASKED = "not_asked", _("Not asked")
    NO = "no", _("No")
    YES = "yes", _("Yes")
    UNKNOWN = "unknown", _("Not known")
    UNDER_50 = "under_50", _("Under 50")
    FROM_50 = "from_50", _("50 to 100")
    OVER_100 = "over_100", _("Over 100")


MOLE_BANDS = (RiskAnswer.UNDER_50, RiskAnswer.FROM_50, RiskAnswer.OVER_100)
YES_OR_NO = (RiskAnswer.NO, RiskAnswer.YES)
ANY_KIND = (RiskAnswer.NOT_ASKED, RiskAnswer.UNKNOWN)


class RiskFactQuerySet(ClinicRows["RiskFact"]):
    path_to_clinic = "patient__clinic"


class RiskFact(models.Model):
    """One answer of a patient about one risk. Append-only: the newest answer of its kind counts.

    A database trigger, created in a migration, refuses changes to a row.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="risk_facts")
    kind = models.CharField(max_length=20, choices=RiskKind)
    number = models.PositiveIntegerField(help_text=_("Counts the patient's answers of this kind from 1."))
    answer = models.CharField(max_length=10, choices=RiskAnswer)
    detail = models.CharField(max_length=200, blank=True, default="")
    recorded_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = RiskFactQuerySet.as_manager()

    class Meta:
        ordering = ["patient", "kind", "-number"]
        constraints = [
            # Timestamps may tie or go back; the number cannot, so exactly one answer is the newest.
            models.UniqueConstraint(fields=["patient", "kind", "number"], name="risk_fact_number_is_unique"),
            models.CheckConstraint(condition=Q(number__gte=1), name="risk_fact_number_starts_at_one"),
            models.CheckConstraint(condition=Q(kind__in=RiskKind.values), name="risk_fact_kind_is_known"),
            models.CheckConstraint(
                condition=Q(answer__in=ANY_KIND)
                | Q(kind="moles", answer__in=MOLE_BANDS)
                | (~Q(kind="moles") & Q(answer__in=YES_OR_NO)),
                name="risk_fact_answer_fits_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(detail="") | Q(answer="yes") | Q(kind="moles", answer__in=MOLE_BANDS),
                name="risk_fact_with_a_detail_was_answered",
            ),
            models.CheckConstraint(
                condition=~Q(kind="allergies", answer="yes") | ~Q(detail=""), name="allergy_is_named"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_answer_display().lower()}"

    @property
    def changed_by(self) -> User:
        return self.recorded_by.user

    @property
    def changed_at(self) -> datetime:
        return self.recorded_at
