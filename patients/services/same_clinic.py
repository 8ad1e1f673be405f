"""The last line of defence between clinics: services refuse records of another clinic even if a view does not."""

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from patients.models import Member, Patient


class AnotherClinic(PermissionDenied):
    """A member tries to act on a record of another clinic."""


def ensure_same_clinic(patient: Patient, *members: Member) -> None:
    """Raise ``AnotherClinic`` unless all ``members`` belong to the patient's clinic."""
    if any(member.clinic_id != patient.clinic_id for member in members):
        raise AnotherClinic(_("This record belongs to another clinic."))


def ensure_dermatologist_of(patient: Patient, *members: Member) -> None:
    """Raise ``PermissionDenied`` unless all ``members`` are dermatologists of the patient's clinic."""
    ensure_same_clinic(patient, *members)
    if not all(member.is_dermatologist for member in members):
        raise PermissionDenied(_("Only a dermatologist of the patient's clinic can do this."))
