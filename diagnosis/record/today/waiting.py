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

Parts = list[Any]


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
    return _together(*result_parts(scope))


def result_parts(scope: Scope) -> Parts:
    confirm, specimens = _to_confirm(scope), _awaited(scope)
    # Of the same lesion, so of the same clinic: which is not asked, or the whole clinic's would be looked through.
    to_confirm, without_result = (rows(scope, of_any_clinic=True) for rows in (_to_confirm, _awaited))
    awaited = plans(scope, NextStep.RESULT_AWAITED).filter(
        ~Exists(without_result.filter(lesion=OuterRef("lesion"))),
        ~Exists(to_confirm.filter(specimen__lesion=OuterRef("lesion"))),
    )
    sooner = Q(sent_on__lt=OuterRef("sent_on")) | Q(sent_on=OuterRef("sent_on"), pk__lt=OuterRef("pk"))
    specimens = specimens.filter(
        ~Exists(to_confirm.filter(specimen__lesion=OuterRef("lesion"))),
        ~Exists(without_result.filter(sooner, lesion=OuterRef("lesion"))),
    )
    ahead = Q(rank__lt=OuterRef("rank")) | Q(rank=OuterRef("rank"), pk__lt=OuterRef("pk"))
    same_lesion = to_confirm.filter(ahead, specimen__lesion=OuterRef("specimen__lesion"))
    return [
        _keys(confirm.filter(~Exists(same_lesion)), Kind.RESULT, on=F("received_on")),
        _keys(specimens, Kind.SPECIMEN, on=F("sent_on"), rank=2),
        _keys(awaited, Kind.PLAN, on=TruncDate("stated_at"), rank=2),
    ]


def unplanned(scope: Scope) -> QuerySet[Any, Any]:
    """Lesions that a result or their reopening has left without a plan, the malignant first, then the oldest."""
    return _together(*_unplanned_parts(scope))


def _unplanned_parts(scope: Scope) -> Parts:
    rows = results_without_a_plan(scope.member)
    reopened = reopened_without_a_plan(scope.member)
    if scope.is_mine:
        mine = Q(confirmed_by=scope.member) | Q(specimen__sent_by=scope.member)
        rows = rows.filter(mine | Q(specimen__visit__clinician=scope.member))
        reopened = reopened.filter(Q(closed_by=scope.member) | Q(reopened_by=scope.member))
    if scope.body_site:
        rows = rows.filter(specimen__lesion__body_site=scope.body_site)
        reopened = reopened.filter(lesion__body_site=scope.body_site)
    return [
        _keys(_ranked(rows), Kind.UNPLANNED, on=TruncDate("confirmed_at")),
        _keys(reopened, Kind.REOPENED, on=TruncDate("reopened_at"), rank=2),
    ]


def opinions(scope: Scope) -> QuerySet[Any, Any]:
    """What the member is asked, then answers that they have not read, then their requests that nobody answered."""
    return _together(*opinion_parts(scope))


def opinion_parts(scope: Scope) -> Parts:
    requests = OpinionRequest.objects.all()
    if scope.body_site:
        requests = requests.filter(lesion__body_site=scope.body_site)
    return [
        _keys(requests.waiting_for(scope.member), Kind.ASKED, on=TruncDate("expires_at"), rank=0),
        _keys(requests.unread_by(scope.member), Kind.ANSWERED, on=TruncDate("answered_at"), rank=1),
        _keys(requests.unanswered_of(scope.member), Kind.EXPIRED, on=TruncDate("expires_at"), rank=2),
    ]


def alarming_parts(scope: Scope) -> Parts:
    """What of this must not wait, for the number in the header, without what an overdue plan counts already."""
    overdue = LesionPlan.objects.overdue(scope.today).filter(lesion=OuterRef("lesion")).order_by()
    return [
        _to_confirm(scope).filter(answer__in=MALIGNANT_ANSWERS),
        _awaited(scope).late().filter(~Exists(overdue)),
        *_unplanned_parts(scope),
    ]


def _to_confirm(scope: Scope, *, of_any_clinic: bool = False) -> Any:
    rows = PathologyResult.objects.all() if of_any_clinic else PathologyResult.objects.visible_to(scope.member)
    rows = rows.to_confirm()
    if scope.is_mine:
        rows = rows.filter(Q(specimen__sent_by=scope.member) | Q(specimen__visit__clinician=scope.member))
    if scope.body_site:
        rows = rows.filter(specimen__lesion__body_site=scope.body_site)
    return _ranked(rows).order_by()


def _awaited(scope: Scope, *, of_any_clinic: bool = False) -> Any:
    rows = (Specimen.objects.all() if of_any_clinic else Specimen.objects.visible_to(scope.member)).awaited()
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
