"""Addresses from which e-mails to a patient come back, for every page that would send one."""

from diagnosis.followup.models import ReminderStop, StopReason
from patients.models import Patient


def named_addresses(patient: Patient) -> dict[str, str]:
    """Return where the patient is written to: the address of the “record”, and that of the “account” if it differs."""
    account = patient.user.email if patient.user and patient.user.is_active else ""
    named = {"record": patient.email, "account": account if account.lower() != patient.email.lower() else ""}
    return {name: address for name, address in named.items() if address}


def addresses_of(patient: Patient) -> list[str]:
    return list(named_addresses(patient).values())


def bouncing_addresses(patient: Patient) -> list[str]:
    """Return those of the patient's present addresses that are noted as bouncing; a corrected one is not."""
    if not (addresses := addresses_of(patient)):
        return []
    stops = ReminderStop.objects.standing().filter(patient=patient.pk, reason=StopReason.BOUNCES)
    noted = set(stops.values_list("address", flat=True))
    return [address for address in addresses if address.lower() in noted]


def does_bounce(patient: Patient, address: str) -> bool:
    return address.lower() in map(str.lower, bouncing_addresses(patient))
