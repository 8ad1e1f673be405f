"""Whether a clinic sends reminders, and whose patients get none."""

from django.db import transaction
from django.utils import timezone

from diagnosis.followup.bounces import addresses_of
from diagnosis.followup.errors import NoAddress, SettingsChangedMeanwhile
from diagnosis.followup.models import ReminderSettings, ReminderStop, StopReason
from diagnosis.followup.reminders import address_of
from patients.models import Clinic, Member, MessageKind, Patient
from patients.outbox import cancel_messages
from patients.services.merged_records import lock_patient
from patients.services.same_clinic import ensure_same_clinic


def choose_reminders(
    *, by: Member, is_on: bool, days_before: int | None, days_after: int | None, seen: int
) -> ReminderSettings:
    """Store the clinic's settings. ``seen`` is the number of those that ``by`` has seen; 0 if there were none.

    Raises:
        SettingsChangedMeanwhile: a colleague has chosen others since.
    """
    with transaction.atomic():
        clinic = Clinic.objects.select_for_update().get(pk=by.clinic_id)
        newest = clinic.reminder_settings.first()
        number = newest.number if newest else 0
        if number != seen:
            raise SettingsChangedMeanwhile
        return ReminderSettings.objects.create(
            clinic=clinic,
            number=number + 1,
            is_on=is_on,
            days_before=days_before,
            days_after=days_after,
            member=by,
        )


def stop_reminders(*, patient: Patient, by: Member, reason: str, address: str = "") -> ReminderStop:
    """Send the patient no more reminders, or none to an address that bounces. What waits is cancelled.

    Args:
        address: the one that bounces, of the record or of the account; empty for the one that reminders go to.

    Raises:
        PermissionDenied: ``by`` belongs to another clinic.
        NoAddress: the patient has no such address.
        RecordIsMerged: the record was merged into another one.
    """
    ensure_same_clinic(patient, by)
    with transaction.atomic():
        patient = lock_patient(patient)
        address = (address or address_of(patient)).lower() if reason == StopReason.BOUNCES else ""
        if reason == StopReason.BOUNCES and address not in map(str.lower, addresses_of(patient)):
            raise NoAddress
        stop = ReminderStop.objects.standing().filter(patient=patient, reason=reason, address=address).first()
        if stop is None:
            stop = ReminderStop.objects.create(patient=patient, reason=reason, address=address, stated_by=by)
        cancel_messages(kind=MessageKind.RECALL, patient=patient)
    return stop


def resume_reminders(*, patient: Patient, by: Member) -> int:
    """End whatever stops the patient's reminders, and return how many reasons there were."""
    ensure_same_clinic(patient, by)
    with transaction.atomic():
        stops = ReminderStop.objects.select_for_update().filter(patient=patient, ended_at=None)
        ended = list(stops)
        for stop in ended:
            stop.ended_by, stop.ended_at = by, max(timezone.now(), stop.stated_at)
            stop.save(update_fields=["ended_by", "ended_at"])
    return len(ended)
