import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models.clinic_rows import ClinicRows
from patients.models.member import Member
from patients.models.patient import Patient
from patients.models.user import User


class Purpose(models.TextChoices):
    """What a patient's photographs may be used for beyond their own care."""

    SHARING = "sharing", _("Show to other clinics")
    TRAINING = "training", _("Train the network")


class Decision(models.TextChoices):
    GIVEN = "given", _("Agreed")
    WITHDRAWN = "withdrawn", _("Refused or withdrawn")


class ConsentMethod(models.TextChoices):
    SIGNED_FORM = "signed_form", _("Signed form")
    VERBAL = "verbal", _("Verbally")
    ON_SITE = "on_site", _("On the site")


class ConsentQuerySet(ClinicRows["Consent"]):
    path_to_clinic = "patient__clinic"


class Consent(models.Model):
    """One decision of a patient about one use of their photographs. Append-only: the newest record counts.

    A database trigger, created in a migration, refuses changes to a record.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=10, choices=Purpose)
    number = models.PositiveIntegerField(help_text=_("Counts the patient's records for the purpose from 1."))
    decision = models.CharField(max_length=10, choices=Decision)
    method = models.CharField(_("how"), max_length=12, choices=ConsentMethod)
    recorded_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        ordering = ["-recorded_at", "-number"]
        constraints = [
            # Timestamps may tie or go back; the number cannot, so exactly one record is the newest.
            models.UniqueConstraint(fields=["patient", "purpose", "number"], name="consent_number_is_unique"),
            models.CheckConstraint(condition=Q(number__gte=1), name="consent_number_starts_at_one"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="consent_purpose_is_known"),
            models.CheckConstraint(condition=Q(decision__in=Decision.values), name="consent_decision_is_known"),
            models.CheckConstraint(condition=Q(method__in=ConsentMethod.values), name="consent_method_is_known"),
        ]
        indexes = [models.Index(fields=["recorded_at"], name="consents_by_age")]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.get_decision_display().lower()}"

    @property
    def changed_by(self) -> User:
        return self.recorded_by.user

    @property
    def changed_at(self) -> datetime:
        return self.recorded_at

    @property
    def is_given(self) -> bool:
        return self.decision == Decision.GIVEN
