"""What a filter finds: the rows of one page, or the keys of all of them, in the order of the list.

A filter that finds few rows is answered by sorting these. One that finds many is answered by reading an index in the
order of the list until the page is full: nothing that grows with the clinic is sorted or counted.
"""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from django.core.paginator import Page
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from dermascan.core.paging import AheadPaginator, KeyPaginator
from diagnosis.followup.models import LesionPlan
from diagnosis.images.models import Image
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.outcomes.models import Specimen
from diagnosis.record.search.choices import Awaited, Planned
from diagnosis.record.search.conditions import (
    LABEL_FLAGS,
    Photographed,
    late_specimens,
    of_patients,
    of_photographs,
    of_summary,
    of_unread,
)
from diagnosis.record.search.forms import Wanted
from diagnosis.record.search.plans_missing import unread_without_plan, without_plan
from diagnosis.record.search.summaries import bring_up_to_date
from diagnosis.record.search.summary_models import LesionSummary, VisitSummary
from diagnosis.reports.models import ContradictedReport
from diagnosis.reviews.blinding import reads_blinded
from patients.models import Lesion, Member, Visit, VisitStatus

PAGE_LENGTH = 25
# So many rows are sorted; more are read in the order of an index.
SORTED_AT_MOST = 2000
LONGEST_NUMBER = 8
VISIT_ORDER = ("-date", "-created_at", "-pk")


class Keys(Protocol):
    """Keys of rows in the order of the list, of which only a beginning is read."""

    def __getitem__(self, part: slice) -> Any: ...


class SortedPaginator(KeyPaginator):
    """Pages of rows whose keys are all known."""

    is_cut = False

    def __init__(self, object_list: QuerySet[Any], per_page: int, *, keys: Sequence[Any]) -> None:
        super().__init__(object_list, per_page)
        self.all_keys = keys

    @property
    def count(self) -> int:
        return len(self.all_keys)

    def get_keys(self) -> Sequence[Any]:
        return self.all_keys


def visit_keys(wanted: Wanted, member: Member) -> Keys:
    if wanted.status != VisitStatus.VOID and bring_up_to_date():
        return _summarised_visits(wanted, member)
    visits = visits_of(wanted, member)
    # Status and dates are in the index that gives the order.
    if wanted == Wanted(status=wanted.status, since=wanted.since, until=wanted.until):
        return visits.values_list("pk", flat=True)
    found = list(visits.order_by().values_list("date", "created_at", "pk")[: SORTED_AT_MOST + 1])
    if len(found) > SORTED_AT_MOST:
        return visits.values_list("pk", flat=True)
    return _sorted_keys(found)


def lesion_keys(wanted: Wanted, member: Member) -> Keys:
    if wanted.status != VisitStatus.VOID and bring_up_to_date():
        return _summarised_lesions(wanted, member)
    lesions = lesions_of(wanted, member)
    if wanted == Wanted():
        return NewestFirst(lesions)
    keys = list(lesions.values_list("pk", "created_at")[: SORTED_AT_MOST + 1])
    if len(keys) > SORTED_AT_MOST:
        return NewestFirst(lesions)
    registered = dict(keys)
    photographed = dict(
        Image.objects.in_use()
        .filter(lesion__in=list(registered))
        .order_by()
        .values("lesion")
        .annotate(newest=Max("created_at"))
        .values_list("lesion", "newest")
    )
    return sorted(
        registered,
        key=lambda key: (key in photographed, photographed.get(key, registered[key]), key),
        reverse=True,
    )


def visits_of(wanted: Wanted, member: Member, *, summarised: bool = False) -> QuerySet[Visit]:
    """Return the visits of the member's clinic that the filter asks for; void ones only if it asks for them.

    Args:
        summarised: leave out what ``of_summary`` asks for.
    """
    visits = Visit.objects.visible_to(member)
    visits = visits.filter(status=wanted.status) if wanted.status else visits.in_use()
    if wanted.since:
        visits = visits.filter(date__gte=wanted.since)
    if wanted.until:
        visits = visits.filter(date__lte=wanted.until)
    rows = Photographed.of("visit", wanted)
    conditions = [*of_patients(wanted, member), *of_photographs(wanted, rows, member, summarised=summarised)]
    if wanted.site:
        conditions.append(rows.with_photograph(lesion__body_site=wanted.site))
    if wanted.plan == Planned.MISSING and not summarised:
        needing = without_plan(Lesion.objects.filter(pk=OuterRef("lesion")), reader=member)
        conditions.append(rows.with_photograph(Exists(needing.order_by())))
    elif wanted.plan == Planned.MISSING and reads_blinded(member):
        unread = unread_without_plan(Lesion.objects.filter(pk=OuterRef("lesion")), reader=member)
        conditions.append(Q(summary__needs_plan=True) | rows.with_photograph(Exists(unread.order_by())))
    if wanted.plan == Planned.OVERDUE:
        conditions.append(rows.with_photograph(lesion__in=_overdue_lesions(member)))
    if wanted.result == Awaited.CONTRADICTED:
        conditions.append(Q(pk__in=_contradicted(member).values("report__visit")))
    if summarised:
        conditions += of_unread(wanted, rows, member)
    if wanted.result == Awaited.LATE:
        late = late_specimens(member)
        taken = Exists(Specimen.objects.filter(pk__in=late.values("pk"), visit=OuterRef("pk")).order_by())
        conditions.append(taken | rows.with_photograph(lesion__in=late.values("lesion")))
    return visits.filter(*conditions).order_by(*VISIT_ORDER)


def lesions_of(wanted: Wanted, member: Member, *, summarised: bool = False) -> QuerySet[Lesion]:
    """Return the lesions of the member's clinic that the filter asks for.

    Args:
        summarised: leave out what ``of_summary`` asks for.
    """
    rows = Photographed.of("lesion", wanted)
    conditions: list[Any] = [*of_patients(wanted, member)]
    conditions += of_photographs(wanted, rows, member, summarised=summarised)
    if wanted.site:
        conditions.append(Q(body_site=wanted.site))
    if wanted.since or wanted.until:
        conditions.append(rows.with_photograph(_taken_within(wanted)))
    if wanted.status:
        conditions += [rows.of_few_visits(wanted.status), rows.with_photograph(visit__status=wanted.status)]
    if wanted.result == Awaited.LATE:
        conditions.append(Q(pk__in=late_specimens(member).values("lesion")))
    if wanted.result == Awaited.CONTRADICTED:
        conditions.append(Q(pk__in=_contradicted(member).values("result__specimen__lesion")))
    if wanted.plan == Planned.OVERDUE:
        conditions.append(Q(pk__in=_overdue_lesions(member)))
    if summarised:
        conditions += of_unread(wanted, rows, member)
    lesions = Lesion.objects.visible_to(member).filter(*conditions).order_by()
    return _without_plan(lesions, member, summarised=summarised) if wanted.plan == Planned.MISSING else lesions


def _without_plan(lesions: QuerySet[Lesion], member: Member, *, summarised: bool) -> QuerySet[Lesion]:
    if not summarised:
        return without_plan(lesions, reader=member)
    if not reads_blinded(member):
        return lesions
    unread = unread_without_plan(Lesion.objects.filter(pk=OuterRef("pk")), reader=member)
    return lesions.filter(Q(summary__needs_plan=True) | Exists(unread.order_by()))


def _summarised_visits(wanted: Wanted, member: Member) -> Keys:
    fields = of_summary(wanted, member) | ({"status": wanted.status} if wanted.status else {})
    fields |= {"date__gte": wanted.since} if wanted.since else {}
    fields |= {"date__lte": wanted.until} if wanted.until else {}
    summaries = VisitSummary.objects.visible_to(member).filter(**fields).exclude(status=VisitStatus.VOID)
    in_order = summaries.order_by("-date", "-logged_at", "-visit").values_list("visit", flat=True)
    if not _asks_more(wanted, member, "status", "since", "until"):
        return in_order
    others = visits_of(wanted, member, summarised=True).order_by()
    sort_by = ("date", "created_at")
    return _few_or_in_order(in_order, others, of_summary(wanted, member), sort_by=sort_by, row="visit")


def _summarised_lesions(wanted: Wanted, member: Member) -> Keys:
    summaries = LesionSummary.objects.visible_to(member).filter(**of_summary(wanted, member))
    in_order = summaries.order_by("-is_photographed", "-newest_at", "-lesion").values_list("lesion", flat=True)
    if not _asks_more(wanted, member):
        return in_order
    others = lesions_of(wanted, member, summarised=True)
    if not _asks_more(wanted, member, "since", "until"):
        # No index finds lesions by when they were photographed, and the order of the list nearly does.
        return in_order.filter(Exists(others.filter(pk=OuterRef("lesion"))))
    sort_by = ("summary__is_photographed", "summary__newest_at")
    return _few_or_in_order(in_order, others, of_summary(wanted, member), sort_by=sort_by, row="lesion")


def _asks_more(wanted: Wanted, member: Member, *summarised: str) -> bool:
    """Whether a summary leaves a part of the filter to be asked of the record."""
    if not reads_blinded(member):
        summarised += ("tier",)
    if wanted.plan != Planned.OVERDUE and not reads_blinded(member):
        summarised += ("plan",)
    if wanted.label in LABEL_FLAGS:
        summarised += ("label",)
    return any(value for name, value in vars(wanted).items() if name not in summarised)


def _few_or_in_order(
    in_order: QuerySet[Any], others: QuerySet[Any], fields: dict[str, Any], *, sort_by: tuple[str, ...], row: str
) -> Keys:
    """Sort what is found if it is little; else read the summaries in their order until a page is full."""
    found = others.filter(**{f"summary__{name}": value for name, value in fields.items()})
    few = list(found.values_list(*sort_by, "pk")[: SORTED_AT_MOST + 1])
    if len(few) <= SORTED_AT_MOST:
        return _sorted_keys(few)
    return in_order.filter(Exists(others.filter(pk=OuterRef(row))))


def _sorted_keys(found: list[Any]) -> list[UUID]:
    return [row[-1] for row in sorted(found, reverse=True)]


class NewestFirst:
    """The keys of many lesions, the one photographed last first; those without a photograph come at the end."""

    def __init__(self, lesions: QuerySet[Lesion]) -> None:
        self.lesions = lesions

    def __getitem__(self, part: slice) -> list[UUID]:
        length = part.stop
        keys = list(self._photographed()[:length])
        if len(keys) < length:
            bare = self.lesions.filter(~Exists(Image.objects.in_use().filter(lesion=OuterRef("pk")).order_by()))
            keys += bare.order_by("-created_at", "-pk").values_list("pk", flat=True)[: length - len(keys)]
        return keys[part.start or 0 :]

    def _photographed(self) -> QuerySet[Any]:
        in_use: ImageQuerySet = Image.objects.in_use()
        of_the_lesion = in_use.filter(lesion=OuterRef("lesion")).order_by()
        newer = Q(created_at__gt=OuterRef("created_at")) | Q(created_at=OuterRef("created_at"), pk__gt=OuterRef("pk"))
        newest = in_use.filter(~Exists(of_the_lesion.filter(newer)))
        wanted = newest.filter(Exists(self.lesions.filter(pk=OuterRef("lesion"))))
        return wanted.order_by("-created_at").values_list("lesion", flat=True)


def page_of(rows: QuerySet[Any], keys: Keys, number: str | None) -> Page:
    """Return one page of the rows with these keys."""
    paginator: KeyPaginator
    if isinstance(keys, list):
        paginator = SortedPaginator(rows, PAGE_LENGTH, keys=keys)
    else:
        asked = int(number) if number and number.isdecimal() and len(number) < LONGEST_NUMBER else 1
        paginator = AheadPaginator(rows, PAGE_LENGTH, keys=keys, page=asked)  # type: ignore[arg-type]
    return paginator.get_page(number)


def _overdue_lesions(member: Member) -> QuerySet[Any, Any]:
    return LesionPlan.objects.visible_to(member).overdue().order_by().values("lesion")


def _contradicted(member: Member) -> QuerySet[ContradictedReport]:
    return ContradictedReport.objects.visible_to(member).unanswered().order_by()


def _taken_within(wanted: Wanted) -> Q:
    """Whether a photograph was taken within the dates: when it was taken if that is known, else at its visit."""
    taken, visited = Q(taken_at__isnull=False), Q(taken_at__isnull=True)
    if wanted.since:
        taken, visited = taken & Q(taken_at__date__gte=wanted.since), visited & Q(visit__date__gte=wanted.since)
    if wanted.until:
        taken, visited = taken & Q(taken_at__date__lte=wanted.until), visited & Q(visit__date__lte=wanted.until)
    return taken | visited
