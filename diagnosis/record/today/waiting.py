"""What waits for others: results, decisions after results, second opinions. Each lesion is listed once.

A section of several kinds of rows is a union of (kind, key): see ``Kind``.
"""

import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Case, CharField, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import TruncDate

from diagnosis.followup.models import LesionPlan, NextStep
from diagnosis.followup.unplanned import reopened_without_a_plan, results_without_a_plan
from diagnosis.opinions.models import OpinionRequest
from diagnosis.outcomes.models import PathologyResult, Specimen
from diagnosis.outcomes.models.pathology import MALIGNANT_ANSWERS
from diagnosis.record.today.sections import Scope, plans


class Kind(StrEnum):
    RESULT = "result"
    SPECIMEN = "specimen"
    PLAN = "plan"
    UNPLANNED = "unplanned"
    REOPENED = "reopened"
    ASKED = "asked"
    ANSWERED = "answered"
    EXPIRED = "expired"


def results(scope: Scope) -> QuerySet[Any, Any]:
    """Results to be confirmed, the malignant first; then specimens without one and “result awaited”, oldest first."""
    confirm, specimens = _to_confirm(scope), _awaited(scope)
    awaited = plans(scope, NextStep.RESULT_AWAITED).filter(
        ~Exists(specimens.filter(lesion=OuterRef("lesion"))),
        ~Exists(confirm.filter(specimen__lesion=OuterRef("lesion"))),
    )
    sooner = Q(sent_on__lt=OuterRef("sent_on")) | Q(sent_on=OuterRef("sent_on"), pk__lt=OuterRef("pk"))
    specimens = specimens.filter(
        ~Exists(confirm.filter(specimen__lesion=OuterRef("lesion"))),
        ~Exists(specimens.filter(sooner, lesion=OuterRef("lesion"))),
    )
    ahead = Q(rank__lt=OuterRef("rank")) | Q(rank=OuterRef("rank"), pk__lt=OuterRef("pk"))
    same_lesion = confirm.filter(ahead, specimen__lesion=OuterRef("specimen__lesion"))
    return _together(
        _keys(confirm.filter(~Exists(same_lesion)), Kind.RESULT, on=F("received_on")),
        _keys(specimens, Kind.SPECIMEN, on=F("sent_on"), rank=2),
        _keys(awaited, Kind.PLAN, on=TruncDate("stated_at"), rank=2),
    )


def unplanned(scope: Scope) -> QuerySet[Any, Any]:
    """Lesions that a result or their reopening has left without a plan, the malignant first, then the oldest."""
    rows = results_without_a_plan(scope.member)
    reopened = reopened_without_a_plan(scope.member)
    if scope.is_mine:
        mine = Q(confirmed_by=scope.member) | Q(specimen__sent_by=scope.member)
        rows = rows.filter(mine | Q(specimen__visit__clinician=scope.member))
        reopened = reopened.filter(Q(closed_by=scope.member) | Q(reopened_by=scope.member))
    if scope.body_site:
        rows = rows.filter(specimen__lesion__body_site=scope.body_site)
        reopened = reopened.filter(lesion__body_site=scope.body_site)
    return _together(
        _keys(_ranked(rows), Kind.UNPLANNED, on=TruncDate("confirmed_at")),
        _keys(reopened, Kind.REOPENED, on=TruncDate("reopened_at"), rank=2),
    )


def opinions(scope: Scope) -> QuerySet[Any, Any]:
    """What the member is asked, then answers that they have not read, then their requests that nobody answered."""
    requests = OpinionRequest.objects.all()
    if scope.body_site:
        requests = requests.filter(lesion__body_site=scope.body_site)
    return _together(
        _keys(requests.waiting_for(scope.member), Kind.ASKED, on=TruncDate("expires_at"), rank=0),
        _keys(requests.unread_by(scope.member), Kind.ANSWERED, on=TruncDate("answered_at"), rank=1),
        _keys(requests.unanswered_of(scope.member), Kind.EXPIRED, on=TruncDate("expires_at"), rank=2),
    )


def alarming(scope: Scope) -> QuerySet[Any, Any]:
    """What of this must not wait, for the number in the header, without what an overdue plan counts already."""
    overdue = LesionPlan.objects.overdue(scope.today).filter(lesion=OuterRef("lesion")).order_by()
    return _together(
        _keys(_to_confirm(scope).filter(rank=0), Kind.RESULT, on=F("received_on")),
        _keys(_awaited(scope).late().filter(~Exists(overdue)), Kind.SPECIMEN, on=F("sent_on"), rank=2),
        unplanned(scope).order_by(),
    )


def _to_confirm(scope: Scope) -> Any:
    rows = PathologyResult.objects.visible_to(scope.member).to_confirm()
    if scope.is_mine:
        rows = rows.filter(Q(specimen__sent_by=scope.member) | Q(specimen__visit__clinician=scope.member))
    if scope.body_site:
        rows = rows.filter(specimen__lesion__body_site=scope.body_site)
    return _ranked(rows).order_by()


def _awaited(scope: Scope) -> Any:
    rows = Specimen.objects.visible_to(scope.member).awaited()
    if scope.is_mine:
        rows = rows.filter(Q(sent_by=scope.member) | Q(visit__clinician=scope.member))
    if scope.body_site:
        rows = rows.filter(lesion__body_site=scope.body_site)
    return rows.order_by()


def _ranked(rows: Any) -> Any:
    malignant = When(answer__in=MALIGNANT_ANSWERS, then=Value(0))
    return rows.annotate(rank=Case(malignant, default=Value(1), output_field=IntegerField()))


def _keys(rows: Any, kind: Kind, *, on: Any, rank: int | None = None) -> Any:
    if rank is not None:
        rows = rows.annotate(rank=Value(rank, output_field=IntegerField()))
    rows = rows.annotate(of_kind=Value(str(kind), output_field=CharField()), key=F("pk"), day=on)
    return rows.order_by().values_list("of_kind", "key", "rank", "day")


def _together(*parts: Any) -> QuerySet[Any, Any]:
    first, *others = parts
    rows: QuerySet[Any, Any] = first.union(*others, all=True).order_by("rank", "day", "key")
    return rows


Key = tuple[str, Any, int, datetime.date]
