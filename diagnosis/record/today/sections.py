"""The sections of the Today page, and the rows of most: see ``waiting`` for the others, ``keys`` for all."""

import datetime
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from diagnosis.followup.models import LesionPlan, NextStep, TodayFilter, Whose
from diagnosis.followup.reminders import undelivered_reminders
from diagnosis.images.models import Image
from diagnosis.reports.models import ContradictedReport
from diagnosis.reports.models.contradicted import ContradictedReportQuerySet
from diagnosis.reviews.blinding import reads_blinded, unread_by
from diagnosis.reviews.models import QueueEntry
from diagnosis.reviews.models.queue import URGENT_REASONS, URGENT_WEIGHS
from patients.models import Member, Visit, VisitStatus

THIS_WEEK = datetime.timedelta(days=7)
COUNTED_AT_MOST = 100


@dataclass(frozen=True)
class Scope:
    """What a member wants to see: everything in their clinic, or what is theirs, or at one body site."""

    member: Member
    is_mine: bool = False
    body_site: str = ""
    today: datetime.date = field(default_factory=timezone.localdate)

    @classmethod
    def of(cls, member: Member, chosen: TodayFilter | None) -> "Scope":
        if chosen is None:
            return cls(member)
        return cls(member, is_mine=chosen.whose == Whose.MINE, body_site=chosen.body_site)


class SectionCode(models.TextChoices):
    URGENT = "urgent", _("Urgent, not yet reviewed")
    VISITS = "visits", _("Visits today")
    RESULTS = "results", _("Results awaited")
    UNPLANNED = "unplanned", _("Result received, no plan")
    CONTRADICTED = "contradicted", _("Signed reports that a result contradicts")
    OPINIONS = "opinions", _("Second opinions")
    PROCEDURES = "procedures", _("Biopsies and referrals to arrange")
    OVERDUE = "overdue", _("Recalls overdue")
    DUE = "due", _("Recalls due this week")
    REMINDERS = "reminders", _("Reminders that did not arrive")
    DRAFTS = "drafts", _("Earlier visits, not signed")


def urgent(scope: Scope) -> QuerySet[QueueEntry]:
    """One entry for each lesion: the one with the highest priority.

    By priority too, so that they are read from the index that gives the order; a constraint says how much they weigh.
    """
    of_scope = Q(reason__in=URGENT_REASONS)
    if scope.is_mine:
        of_scope &= Q(image__visit__clinician=scope.member)
    if scope.body_site:
        of_scope &= Q(image__lesion__body_site=scope.body_site)
    entries = QueueEntry.objects.visible_to(scope.member).waiting().filter(of_scope, priority__gte=URGENT_WEIGHS)
    # Without clinic and state, so that the photographs of the lesion are looked through and not the queue.
    same_lesion = QueueEntry.objects.filter(of_scope, image__lesion=OuterRef("image__lesion")).order_by()
    ahead = Q(priority__gt=OuterRef("priority")) | Q(priority=OuterRef("priority"), pk__lt=OuterRef("pk"))
    return entries.filter(~Exists(same_lesion.filter(ahead))).in_order()


def named_urgent(scope: Scope) -> QuerySet[QueueEntry]:
    """Those that the page may name: an answer that a blinded reader has not seen yet is not given away by the list."""
    entries = urgent(scope)
    if not reads_blinded(scope.member):
        return entries
    return entries.filter(~Exists(unread_by(scope.member).filter(pk=OuterRef("pk")).order_by()))


def visits(scope: Scope) -> QuerySet[Visit]:
    today = Visit.objects.visible_to(scope.member).in_use().filter(date=scope.today)
    return _of_scope(today, scope).order_by("created_at", "pk")


def drafts(scope: Scope) -> QuerySet[Visit]:
    earlier = Visit.objects.visible_to(scope.member).filter(status=VisitStatus.OPEN, date__lt=scope.today)
    return _of_scope(earlier, scope).order_by("date", "pk")


def contradicted(scope: Scope) -> ContradictedReportQuerySet:
    """Reports whose readers must still be told, the missed malignant first; one row for each report."""
    rows = ContradictedReport.objects.visible_to(scope.member).unanswered()
    if scope.is_mine:
        rows = rows.filter(Q(report__signed_by=scope.member) | Q(report__visit__clinician=scope.member))
    if scope.body_site:
        rows = rows.filter(result__specimen__lesion__body_site=scope.body_site)
    same = rows.filter(report=OuterRef("report")).order_by()
    ahead = Q(is_miss__gt=OuterRef("is_miss")) | Q(is_miss=OuterRef("is_miss"), pk__lt=OuterRef("pk"))
    return rows.filter(~Exists(same.filter(ahead))).order_by("-is_miss", "created_at", "pk")


def procedures(scope: Scope) -> QuerySet[LesionPlan]:
    return plans(scope, NextStep.BIOPSY, NextStep.REFER)


def overdue(scope: Scope) -> QuerySet[LesionPlan]:
    return plans(scope, NextStep.SEE_AGAIN).filter(due_on__lt=scope.today)


def due(scope: Scope) -> QuerySet[LesionPlan]:
    return plans(scope, NextStep.SEE_AGAIN).filter(due_on__range=(scope.today, scope.today + THIS_WEEK))


def everything_overdue(scope: Scope) -> QuerySet[LesionPlan]:
    """Plans of any kind whose date has passed, for the number in the header."""
    return LesionPlan.objects.visible_to(scope.member).overdue(scope.today).filter(step__in=NextStep.values)


def reminders(scope: Scope) -> QuerySet[Any]:
    messages: QuerySet[Any] = undelivered_reminders(scope.member.clinic_id)
    return messages


def plans(scope: Scope, *steps: NextStep) -> QuerySet[LesionPlan]:
    plans = LesionPlan.objects.visible_to(scope.member).standing().filter(step__in=steps)
    if scope.is_mine:
        plans = plans.filter(Q(stated_by=scope.member) | Q(visit__clinician=scope.member))
    if scope.body_site:
        plans = plans.filter(lesion__body_site=scope.body_site)
    return plans.order_by("due_on", "pk")


def _of_scope(rows: QuerySet[Visit], scope: Scope) -> QuerySet[Visit]:
    if scope.is_mine:
        rows = rows.filter(clinician=scope.member)
    if scope.body_site:
        at_site = Image.objects.filter(visit=OuterRef("pk"), lesion__body_site=scope.body_site).order_by()
        rows = rows.filter(Exists(at_site))
    return rows
