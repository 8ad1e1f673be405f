import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models.clinic_rows import ClinicRows
from patients.models.member import Member
from patients.models.patient import Patient


class ClosureReason(models.TextChoices):
    WRONG_ADDRESS = "wrong_address", _("The link went to a wrong address")
    WRONG_PATIENT = "wrong_patient", _("It was given to the wrong patient")
    ASKED = "asked", _("The patient asked for it")
    LOST = "lost", _("Another person may have the password")
    OTHER = "other", _("Another reason")


class AccountClosureQuerySet(ClinicRows["AccountClosure"]):
    path_to_clinic = "patient__clinic"


class AccountClosure(models.Model):
    """The record that a patient's account was closed: which one, by whom and why. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="account_closures")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    address = models.CharField(max_length=254, blank=True, help_text=_("The account's e-mail address."))
    reason = models.CharField(max_length=20, choices=ClosureReason)
    note = models.CharField(max_length=500, blank=True, default="")
    closed_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AccountClosureQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(reason__in=ClosureReason.values), name="closure_reason_is_known"),
            models.CheckConstraint(
                condition=~Q(reason="other") | ~Q(note=""), name="closure_for_another_reason_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}"
