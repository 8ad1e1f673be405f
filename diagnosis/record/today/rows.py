"""The rows of the Today page: who, what, since when, what to do, and where."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from diagnosis.followup.models import LesionPlan, NextStep, Reminder, StopReason
from diagnosis.followup.reminders import address_of, stop_of
from diagnosis.followup.step_words import day, overdue_in_words
from diagnosis.images.models import Image
from diagnosis.record.today.row import Row
from diagnosis.record.today.sections import SectionCode
from diagnosis.record.today.waiting_rows import waiting_rows
from diagnosis.reports.models import ContradictedReport
from diagnosis.reviews.blinding import note_seen
from diagnosis.reviews.models import QueueEntry
from patients.message_words import state_in_words
from patients.models import Member, MessageState, OutgoingMessage, Visit
from patients.models.message import UNDELIVERED

# Sections of several kinds of rows.
MIXED = (SectionCode.RESULTS, SectionCode.UNPLANNED, SectionCode.OPINIONS)


def rows_of(code: SectionCode, keys: Sequence[Any], member: Member) -> list[Row]:
    """Return the rows of a section by the keys of its records, in their order."""
    if code in MIXED:
        return waiting_rows(keys, member, plans=_plans)
    records, describe = _RECORDS[code]().in_bulk(keys), _DESCRIBE[code]
    return describe([records[key] for key in keys if key in records], member)


def _urgent(entries: Sequence[QueueEntry], member: Member) -> list[Row]:
    to_do = _("Review") if member.is_dermatologist else _("Ask a dermatologist to review it")
    return [
        Row(
            patient=entry.image.visit.patient,
            what=str(entry.image.lesion),
            detail=". ".join(entry.reason_words[:2]),
            since=_("waiting since %(date)s") % {"date": _moment(entry.entered_at)},
            to_do=to_do,
            url=entry.image.get_absolute_url(),
        )
        for entry in entries
    ]


def _visits(visits: Sequence[Visit], member: Member) -> list[Row]:
    return [
        Row(
            patient=visit.patient,
            what=visit.complaint,
            detail=f"{visit.clinician.name} · {visit.get_status_display()}",
            since=_("visit of %(date)s") % {"date": day(visit.date)},
            to_do=to_do,
            url=url,
        )
        for visit in visits
        for to_do, url in [_next_at(visit, member)]
    ]


def _next_at(visit: Visit, member: Member) -> tuple[str, str]:
    if not visit.is_open:
        is_waiting = visit.status == "signed" and member.is_dermatologist
        return (_("Release") if is_waiting else _("Open")), visit.get_absolute_url()
    if not visit.has_photographs:  # type: ignore[attr-defined]
        return _("Add photographs"), reverse("upload", args=[visit.pk])
    if member.is_dermatologist:
        return _("Check and sign"), reverse("visit-sign", args=[visit.pk])
    return _("A dermatologist signs it"), visit.get_absolute_url()


_TO_DO = {
    NextStep.SEE_AGAIN: lambda plan: _("Call for an appointment"),
    NextStep.BIOPSY: lambda plan: _("Arrange the biopsy"),
    NextStep.REFER: lambda plan: _("Arrange the referral"),
    NextStep.RESULT_AWAITED: lambda plan: _("Ask the laboratory") if plan.is_overdue else _("Enter the result"),
}


def _plans(plans: Sequence[LesionPlan], member: Member) -> list[Row]:
    reminded = _reminders_of(plans)
    return [
        Row(
            patient=plan.lesion.patient,
            what=f"{plan.lesion}: {str(plan.get_step_display()).lower()}",
            detail=" · ".join(
                part for part in (plan.note, _reach(plan, reminded.get(plan.pk)), _by_whom(plan)) if part
            ),
            since=_("due %(date)s") % {"date": day(plan.due_on)},
            to_do=_TO_DO[NextStep(plan.step)](plan),
            url=f"{plan.lesion.get_absolute_url()}#plan",
            badge=overdue_in_words(plan),
        )
        for plan in plans
    ]


def _contradicted(rows: Sequence[ContradictedReport], member: Member) -> list[Row]:
    """A row names the diagnosis of a photograph, so it is recorded as seen."""
    if rows:
        note_seen(member, Image.objects.in_use().filter(lesion__in=[row.result.specimen.lesion_id for row in rows]))
    name = "visit-addendum" if member.is_dermatologist else "visit"
    to_do = _("Write an addendum") if member.is_dermatologist else _("Ask a dermatologist for an addendum")
    return [
        Row(
            patient=row.report.visit.patient,
            what=_("%(lesion)s: the report of %(date)s says otherwise")
            % {"lesion": row.result.specimen.lesion, "date": day(row.report.visit.date)},
            detail=_("Result: %(result)s. Report: %(said)s. Signed by %(name)s")
            % {"result": row.result.details, "said": row.said, "name": row.report.signed_by.name},
            since=_("result confirmed %(date)s") % {"date": _moment(row.result.confirmed_at)},
            to_do=to_do,
            url=reverse(name, args=[row.report.visit_id]),
            badge=_("Missed") if row.is_miss else "",
        )
        for row in rows
    ]


def _by_whom(plan: LesionPlan) -> str:
    return _("planned by %(name)s on %(date)s") % {"name": plan.stated_by.name, "date": day(plan.stated_at.date())}


def _reach(plan: LesionPlan, reminded: Reminder | None) -> str:
    """Whether the patient was reminded by e-mail, or cannot be."""
    if not plan.is_recall:
        return ""
    patient, stop = plan.lesion.patient, stop_of(plan.lesion.patient)
    if reminded is not None:
        return _("reminded by e-mail on %(date)s") % {"date": day(reminded.created_at.date())}
    if stop is not None:
        bounces = stop.reason == StopReason.BOUNCES
        return _("e-mail address bounces: call") if bounces else _("wants no e-mail: call")
    return "" if address_of(patient) else _("no e-mail address: call")


def _reminders_of(plans: Sequence[LesionPlan]) -> dict[UUID, Reminder]:
    """The newest reminder of each plan whose e-mail was sent or is on its way; one e-mail may be about several."""
    unsent = Q(state__in=(*UNDELIVERED, MessageState.CANCELLED))
    lost = OutgoingMessage.objects.filter(unsent, about=OuterRef("e_mail")).order_by()
    rows = Reminder.objects.filter(plan__in=plans).alias(e_mail=Coalesce("sent_with", "pk"))
    rows = rows.exclude(Exists(lost)).order_by("created_at")
    return {row.plan_id: row for row in rows}


def _messages(rows: Sequence[OutgoingMessage], member: Member) -> list[Row]:
    return [
        Row(
            patient=row.patient,
            what=_("Reminder by e-mail"),
            detail=state_in_words(row),
            since=_("since %(date)s") % {"date": _moment(row.finished_at)},
            to_do=_("Call, or correct the address"),
            url=f"{row.patient.get_absolute_url()}#reminders",
        )
        for row in rows
        if row.patient is not None
    ]


def _moment(when: Any) -> str:
    return date_format(timezone.localtime(when), "j F Y") if when else "–"


def _plan_records() -> Any:
    plans = LesionPlan.objects.select_related("lesion__patient__user", "stated_by__user")
    return plans.prefetch_related("lesion__patient__reminder_stops")


def _visit_records() -> Any:
    photographs = Image.objects.in_use().filter(visit=OuterRef("pk")).order_by()
    return Visit.objects.select_related("patient", "clinician__user").annotate(has_photographs=Exists(photographs))


def _contradicted_records() -> Any:
    people = ("report__visit__patient", "report__signed_by__user", "result__specimen__lesion")
    return ContradictedReport.objects.select_related(*people)


_RECORDS: dict[SectionCode, Callable[[], Any]] = {
    SectionCode.URGENT: lambda: QueueEntry.objects.select_related("image__lesion", "image__visit__patient"),
    SectionCode.VISITS: _visit_records,
    SectionCode.CONTRADICTED: _contradicted_records,
    SectionCode.PROCEDURES: _plan_records,
    SectionCode.OVERDUE: _plan_records,
    SectionCode.DUE: _plan_records,
    SectionCode.REMINDERS: lambda: OutgoingMessage.objects.select_related("patient"),
    SectionCode.DRAFTS: _visit_records,
}
_DESCRIBE: dict[SectionCode, Callable[[Any, Member], list[Row]]] = {
    SectionCode.URGENT: _urgent,
    SectionCode.VISITS: _visits,
    SectionCode.CONTRADICTED: _contradicted,
    SectionCode.PROCEDURES: _plans,
    SectionCode.OVERDUE: _plans,
    SectionCode.DUE: _plans,
    SectionCode.REMINDERS: _messages,
    SectionCode.DRAFTS: _visits,
}
