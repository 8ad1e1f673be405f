"""Reminders by e-mail that a patient has an appointment to make. They name the clinic and nothing about the patient.

A clinic switches them on. Each plan to see a lesion again is remembered once before its date and once after it; plans
of one patient that fall together share one e-mail.
"""

import datetime
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from diagnosis.followup.models import (
    LesionPlan,
    NextStep,
    Occasion,
    Reminder,
    ReminderSettings,
    ReminderStop,
    StopReason,
)
from patients.models import Clinic, MessageKind, MessageState, OutgoingMessage, Patient
from patients.models.message import MessageQuerySet
from patients.outbox import Letter, keeps, queue_message, writes

# A date that passed longer ago is for a person to call about: switching reminders on writes to nobody about last year.
LATE_BY = datetime.timedelta(days=30)
# The patient's other plans that come up on the same occasion this soon after an e-mail are covered by it.
ONE_LETTER_FOR = datetime.timedelta(days=7)
MOST_AT_ONCE = 500


def settings_of(clinic_id: Any) -> ReminderSettings | None:
    """Return the clinic's newest settings; None means that reminders are off."""
    return ReminderSettings.objects.filter(clinic=clinic_id).select_related("member__user").first()


def address_of(patient: Patient) -> str:
    """Return where the patient is written to: the address of their record, else of their account."""
    if patient.email:
        return patient.email
    return patient.user.email if patient.user and patient.user.is_active else ""


def stop_of(patient: Patient) -> ReminderStop | None:
    """Return what keeps reminders from the patient's present address, if anything does."""
    address = address_of(patient).lower()
    stops = [stop for stop in patient.reminder_stops.all() if stop.ended_at is None]
    return next((s for s in stops if s.reason == StopReason.REFUSED or s.address.lower() == address), None)


def queue_reminders(*, today: datetime.date | None = None) -> int:
    """Queue the e-mails that are due in every clinic, and return their number. Safe to run again."""
    today = today or timezone.localdate()
    return sum(_queue_in(clinic, today) for clinic in Clinic.objects.filter(reminder_settings__is_on=True).distinct())


def _queue_in(clinic: Clinic, today: datetime.date) -> int:
    chosen = settings_of(clinic.pk)
    if chosen is None or not chosen.is_on:
        return 0
    queued = 0
    for occasion, first, last in _windows(chosen, today):
        due = (
            LesionPlan.objects.standing()
            .filter(clinic=clinic, step=NextStep.SEE_AGAIN, due_on__range=(first, last))
            .exclude(Exists(Reminder.objects.filter(plan=OuterRef("pk"), occasion=occasion)))
            .select_related("lesion__patient__user")
            .prefetch_related("lesion__patient__reminder_stops")
            .order_by("due_on", "pk")[:MOST_AT_ONCE]
        )
        queued += sum(_remind(plan, occasion) for plan in due if _is_reachable(plan.lesion.patient))
    return queued


def _windows(
    chosen: ReminderSettings, today: datetime.date
) -> Iterable[tuple[Occasion, datetime.date, datetime.date]]:
    """The due dates whose patients are reminded today, by occasion."""
    if chosen.days_before:
        yield Occasion.BEFORE, today, today + datetime.timedelta(days=chosen.days_before)
    if chosen.days_after:
        last = today - datetime.timedelta(days=chosen.days_after)
        yield Occasion.AFTER, last - LATE_BY, last


def _is_reachable(patient: Patient) -> bool:
    return bool(address_of(patient)) and stop_of(patient) is None


def _remind(plan: LesionPlan, occasion: Occasion) -> bool:
    """Queue the reminder, or note the e-mail that already covers it; return whether one was queued."""
    patient = plan.lesion.patient
    try:
        with transaction.atomic():
            Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
            recent = Reminder.objects.filter(
                plan__lesion__patient=patient,
                occasion=occasion,
                sent_with=None,
                created_at__gte=timezone.now() - ONE_LETTER_FOR,
            ).first()
            reminder = Reminder.objects.create(plan=plan, occasion=occasion, sent_with=recent)
            if recent is not None:
                return False
            queue_message(
                MessageKind.RECALL,
                about=reminder.pk,
                user=patient.user,
                patient=patient,
                address=address_of(patient),
            )
    except IntegrityError:  # another worker was faster
        return False
    return True


@writes(MessageKind.RECALL)
def recall_letter(message: OutgoingMessage) -> Letter | None:
    """The e-mail, to the present address; None if every plan it is about has ended, or it is no longer wanted."""
    about = Reminder.objects.filter(pk=message.about_key) | Reminder.objects.filter(sent_with=message.about_key)
    standing = LesionPlan.objects.standing().filter(reminders__in=about.values("pk"))
    plan = standing.select_related("lesion__patient__user", "lesion__patient__clinic").first()
    if plan is None:
        return None
    patient, chosen = plan.lesion.patient, settings_of(plan.clinic_id)
    if chosen is None or not chosen.is_on or not _is_reachable(patient) or _is_told_already(message, patient):
        return None
    message.address = address_of(patient)
    clinic = patient.clinic
    context = {"site_name": settings.SITE_NAME, "clinic": clinic.name, "phone": clinic.phone}
    subject = _("You have an appointment to make at %(clinic)s") % {"clinic": clinic.name}
    return Letter(message.address, subject, render_to_string("followup/mail/recall.txt", context))


def _is_told_already(message: OutgoingMessage, patient: Patient) -> bool:
    """Whether an earlier e-mail tells the same: two records of one patient may each have had one when they merged."""
    own = Reminder.objects.filter(pk=message.about_key).first()
    if own is None:
        return False
    told = OutgoingMessage.objects.filter(
        kind=MessageKind.RECALL,
        about=OuterRef("pk"),
        state__in=(MessageState.WAITING, MessageState.SENDING, MessageState.SENT),
    )
    earlier = Q(created_at__lt=own.created_at) | Q(created_at=own.created_at, pk__lt=own.pk)
    same = Reminder.objects.filter(
        earlier,
        Exists(told),
        plan__lesion__patient=patient,
        plan__ended_at=None,
        occasion=own.occasion,
        sent_with=None,
        created_at__gte=own.created_at - ONE_LETTER_FOR,
    )
    return same.exists()


def still_needed() -> Exists:
    """Whether one of the plans that an e-mail is about still stands."""
    reminders = Reminder.objects.filter(plan__ended_at=None).order_by()
    return Exists(reminders.filter(Q(pk=OuterRef("about")) | Q(sent_with=OuterRef("about"))))


@keeps(MessageKind.RECALL)
def kept_messages(messages: MessageQuerySet) -> MessageQuerySet:
    """The reminders that did not arrive and that somebody has to act on, however old they are."""
    return messages.undelivered().filter(still_needed())


def undelivered_reminders(clinic_id: Any) -> Any:
    """The reminders that did not arrive and are still needed, for a person to act on: newest first."""
    stopped = ReminderStop.objects.standing().filter(patient=OuterRef("patient"))
    return (
        OutgoingMessage.objects.undelivered()
        .filter(still_needed(), ~Exists(stopped), kind=MessageKind.RECALL, patient__clinic=clinic_id)
        .order_by("-finished_at", "-pk")
    )
