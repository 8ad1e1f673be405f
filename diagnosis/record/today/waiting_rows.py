"""The rows of the sections whose keys are those of ``waiting``."""

from collections.abc import Callable, Sequence
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from diagnosis.followup.models import LesionPlan
from diagnosis.followup.step_words import day
from diagnosis.images.models import Image
from diagnosis.opinions.models import OpinionRequest
from diagnosis.outcomes.models import LesionClosure, PathologyResult, Specimen
from diagnosis.record.today.row import Row
from diagnosis.record.today.waiting import Key, Kind
from diagnosis.reviews.blinding import note_seen
from patients.models import Member


def waiting_rows(
    keys: Sequence[Key], member: Member, *, plans: Callable[[Sequence[LesionPlan], Member], list[Row]]
) -> list[Row]:
    """Return the rows in the order of their keys.

    A row that names a diagnosis tells a reader what to answer, so it is recorded as seen.
    """
    records = {kind: _records(kind, [key for each, key, *_rest in keys if each == kind]) for kind in Kind}
    named = [record for kind in (Kind.RESULT, Kind.UNPLANNED) for record in records[kind].values()]
    if named:
        note_seen(member, Image.objects.in_use().filter(lesion__in=[each.specimen.lesion_id for each in named]))
    rows = []
    for kind, key, *_rest in keys:
        record = records[Kind(kind)].get(key)
        if record is None:
            continue
        rows += plans([record], member) if kind == Kind.PLAN else [_DESCRIBE[Kind(kind)](record, member)]
    return rows


def _to_confirm(result: PathologyResult, member: Member) -> Row:
    specimen = result.specimen
    return Row(
        patient=specimen.lesion.patient,
        what=_("%(lesion)s: result to be confirmed") % {"lesion": specimen.lesion},
        detail=f"{result.details} · {specimen.title}",
        since=_("received %(date)s") % {"date": day(result.received_on)},
        to_do=_("Read and confirm") if member.is_dermatologist else _("Ask a dermatologist to confirm it"),
        url=result.get_absolute_url(),
        badge=_("Malignant") if result.is_malignant else "",
    )


def _specimen(specimen: Specimen, member: Member) -> Row:
    days = ngettext("%(days)d day without a result", "%(days)d days without a result", specimen.days_since)
    return Row(
        patient=specimen.lesion.patient,
        what=_("%(lesion)s: result awaited") % {"lesion": specimen.lesion},
        detail=" · ".join(part for part in (specimen.title, specimen.laboratory) if part),
        since=_("sent %(date)s") % {"date": day(specimen.sent_on)},
        to_do=_("Ask the laboratory") if specimen.is_late else _("Enter the result"),
        url=reverse("pathology-new", args=[specimen.pk]),
        badge=days % {"days": specimen.days_since} if specimen.is_late else "",
    )


def _unplanned(result: PathologyResult, member: Member) -> Row:
    lesion = result.specimen.lesion
    return Row(
        patient=lesion.patient,
        what=_("%(lesion)s: result received, no plan") % {"lesion": lesion},
        detail=result.details,
        since=_("confirmed %(date)s") % {"date": _day(result.confirmed_at)},
        to_do=_("State the next step") if member.is_dermatologist else _("Ask a dermatologist for the next step"),
        url=f"{lesion.get_absolute_url()}#plan",
        badge=_("Malignant") if result.is_malignant else "",
    )


def _reopened(closure: LesionClosure, member: Member) -> Row:
    return Row(
        patient=closure.lesion.patient,
        what=_("%(lesion)s: reopened, no plan") % {"lesion": closure.lesion},
        detail=closure.reopening_reason or "",
        since=_("reopened %(date)s") % {"date": _day(closure.reopened_at)},
        to_do=_("State the next step"),
        url=f"{closure.lesion.get_absolute_url()}#plan",
    )


def _asked(request: OpinionRequest, member: Member) -> Row:
    return _opinion(
        request,
        _("%(lesion)s: %(name)s asks for your opinion") % {"lesion": request.lesion, "name": request.asked_by.name},
        _("until %(date)s") % {"date": _day(request.expires_at)},
        _("Answer"),
    )


def _answered(request: OpinionRequest, member: Member) -> Row:
    return _opinion(
        request,
        _("%(lesion)s: %(name)s has answered") % {"lesion": request.lesion, "name": request.doctor.name},
        _("answered %(date)s") % {"date": _day(request.answered_at)},
        _("Read the answer"),
    )


def _expired(request: OpinionRequest, member: Member) -> Row:
    if request.revoked_at is not None:
        return _opinion(
            request,
            _("%(lesion)s: the question to %(name)s was revoked")
            % {"lesion": request.lesion, "name": request.doctor.name},
            _("revoked %(date)s") % {"date": _day(request.revoked_at)},
            _("Ask again"),
            badge=_("Revoked"),
        )
    return _opinion(
        request,
        _("%(lesion)s: %(name)s has not answered") % {"lesion": request.lesion, "name": request.doctor.name},
        _("expired %(date)s") % {"date": _day(request.expires_at)},
        _("Ask again"),
        badge=_("Expired"),
    )


def _opinion(request: OpinionRequest, what: str, since: str, to_do: str, *, badge: str = "") -> Row:
    patient, url = request.lesion.patient, request.get_absolute_url()
    return Row(patient=patient, what=what, detail=request.question, since=since, to_do=to_do, url=url, badge=badge)


def _day(moment: Any) -> str:
    return day(timezone.localtime(moment).date())


def _records(kind: Kind, keys: Sequence[Any]) -> dict[Any, Any]:
    return _READ[kind]().in_bulk(keys) if keys else {}


def _results() -> Any:
    return PathologyResult.objects.select_related("specimen__lesion__patient")


def _requests() -> Any:
    people = ("asked_by__user", "colleague__user", "outside_reader")
    return OpinionRequest.objects.select_related("lesion__patient", *people)


def _plan_rows() -> Any:
    rows = LesionPlan.objects.select_related("lesion__patient__user", "stated_by__user")
    return rows.prefetch_related("lesion__patient__reminder_stops")


_READ: dict[Kind, Callable[[], Any]] = {
    Kind.RESULT: _results,
    Kind.SPECIMEN: lambda: Specimen.objects.select_related("lesion__patient"),
    Kind.PLAN: _plan_rows,
    Kind.UNPLANNED: _results,
    Kind.REOPENED: lambda: LesionClosure.objects.select_related("lesion__patient"),
    Kind.ASKED: _requests,
    Kind.ANSWERED: _requests,
    Kind.EXPIRED: _requests,
}
_DESCRIBE: dict[Kind, Callable[[Any, Member], Row]] = {
    Kind.RESULT: _to_confirm,
    Kind.SPECIMEN: _specimen,
    Kind.UNPLANNED: _unplanned,
    Kind.REOPENED: _reopened,
    Kind.ASKED: _asked,
    Kind.ANSWERED: _answered,
    Kind.EXPIRED: _expired,
}
