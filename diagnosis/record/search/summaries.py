"""Keep the summaries of lesions and visits true: calculate again what triggers have marked as out of date.

A summary is what the conditions of the filter say of a row, so there is one definition. Before a list relies on
summaries, it has the last changes calculated; where there are too many, it asks the conditions themselves.
"""

from collections.abc import Iterable
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from diagnosis.images.models import Image
from diagnosis.record.search.choices import Answered
from diagnosis.record.search.conditions import LABEL_FLAGS, Photographed, of_label, of_tier
from diagnosis.record.search.plans_missing import without_plan
from diagnosis.record.search.summary_models import (
    LesionSummary,
    StaleKind,
    StaleSummary,
    VisitSummary,
)
from diagnosis.reviews.models import Review
from patients.models import Lesion, Visit

# So many changes are calculated while a page waits; more are left to the background task.
AT_ONCE = 200
BATCH = 400
MARKED_AT_ONCE = 5000
# Any number, the same in every process: only the holder of this lock calculates.
LOCK = 5_720_831


def bring_up_to_date() -> bool:
    """Calculate the last changes if they are few, and return whether every summary is true now."""
    stale = list(StaleSummary.objects.order_by("pk")[: AT_ONCE + 1])
    is_everything = any(each.kind == StaleKind.ALL for each in stale)
    if len(stale) > AT_ONCE or (is_everything and not _are_few()):
        return False
    try:
        if stale:
            calculate_everything_stale()
    except OperationalError:  # the database is locked or full: the list is still answered, without summaries
        return False
    return True


def _are_few() -> bool:
    return all(len(rows.values_list("pk")[: AT_ONCE + 1]) <= AT_ONCE for rows in (Lesion.objects, Visit.objects))


def calculate_everything_stale(*, for_at_most: timedelta | None = None) -> int:
    """Calculate until nothing is stale, or for so long; return the number of marks that were worked off."""
    total, started = 0, monotonic()
    while worked_off := calculate_stale(at_most=BATCH):
        total += worked_off
        if for_at_most is not None and monotonic() - started > for_at_most.total_seconds():
            break
    return total


def calculate_stale(*, at_most: int) -> int:
    """Calculate the summaries of the oldest marks, and return the number of these marks.

    The marks are read before the record is: a change from then on has a mark of its own, which stays.
    """
    with transaction.atomic():
        _lock()
        stale = list(StaleSummary.objects.order_by("pk")[:at_most])
        if any(each.kind == StaleKind.ALL for each in stale):
            mark_everything()
            worked_off = [each for each in stale if each.kind == StaleKind.ALL]
        else:
            lesions, visits = _rows_of(stale)
            _calculate_lesions(lesions)
            _calculate_visits(visits)
            worked_off = stale
        StaleSummary.objects.filter(pk__in=[each.pk for each in worked_off]).delete()
    return len(worked_off)


def mark_everything() -> None:
    """Mark every lesion and visit, so that all summaries are calculated again in parts."""
    StaleSummary.objects.exclude(kind=StaleKind.ALL).delete()
    bare = Visit.objects.filter(~Exists(Image.objects.filter(visit=OuterRef("pk")).order_by()))
    # Those with photographs are calculated with the lesions.
    for kind, rows in ((StaleKind.LESION, Lesion.objects.all()), (StaleKind.VISIT, bare)):
        keys = rows.order_by().values_list("pk", flat=True).iterator(chunk_size=MARKED_AT_ONCE)
        marks = (StaleSummary(kind=kind, key=key) for key in keys)
        StaleSummary.objects.bulk_create(marks, batch_size=MARKED_AT_ONCE)


def differing() -> int:
    """Return how many summaries are not what the record says; 0 unless something is wrong here.

    Call it when nothing is stale. Rows without a summary differ.
    """
    count = 0
    for summaries, rows, calculated in (
        (LesionSummary, Lesion, _lesion_summaries),
        (VisitSummary, Visit, _visit_summaries),
    ):
        keys = list(rows._default_manager.order_by("pk").values_list("pk", flat=True))
        for first in range(0, len(keys), BATCH):
            part = keys[first : first + BATCH]
            stored = {tuple(row) for row in summaries._default_manager.filter(pk__in=part).values_list()}
            expected = {
                tuple(getattr(each, field.attname) for field in summaries._meta.concrete_fields)
                for each in calculated(part)
            }
            count += len(expected - stored)
    return count


def _rows_of(stale: Iterable[StaleSummary]) -> tuple[set[UUID], set[UUID]]:
    """Return the keys of the lesions and visits whose summaries depend on what changed."""
    keys: dict[str, set[UUID]] = {kind: set() for kind in StaleKind.values}
    for each in stale:
        keys[each.kind].add(each.key)
    lesions, visits = keys[StaleKind.LESION], keys[StaleKind.VISIT]
    if patients := keys[StaleKind.PATIENT]:
        lesions |= set(Lesion.objects.filter(patient__in=patients).values_list("pk", flat=True))
        visits |= set(Visit.objects.filter(patient__in=patients).values_list("pk", flat=True))
    images = keys[StaleKind.IMAGE]
    images |= set(Review.objects.filter(pk__in=keys[StaleKind.REVIEW]).values_list("image", flat=True))
    for lesion, visit in Image.objects.filter(pk__in=images).values_list("lesion", "visit"):
        lesions.add(lesion)
        visits.add(visit)
    # Symptoms of a visit ask for a plan of its lesions, and a lesion without a plan is found at its visits.
    lesions |= set(Image.objects.filter(visit__in=visits).values_list("lesion", flat=True))
    visits |= set(Image.objects.filter(lesion__in=lesions).values_list("visit", flat=True))
    return lesions, visits


def _calculate_lesions(keys: Iterable[UUID]) -> None:
    _store(LesionSummary, _lesion_summaries(list(keys)))


def _calculate_visits(keys: Iterable[UUID]) -> None:
    _store(VisitSummary, _visit_summaries(list(keys)))


def _lesion_summaries(keys: list[UUID]) -> list[LesionSummary]:
    lesions = Lesion.objects.filter(pk__in=keys).order_by()
    newest = dict(
        Image.objects.in_use()
        .filter(lesion__in=keys)
        .order_by()
        .values("lesion")
        .annotate(newest=Max("created_at"))
        .values_list("lesion", "newest")
    )
    flags = _flags(lesions, "lesion", needing=without_plan(lesions).order_by())
    return [
        LesionSummary(
            lesion_id=key,
            clinic_id=clinic,
            is_photographed=key in newest,
            newest_at=newest.get(key, created_at),
            **flags[key],
        )
        for key, clinic, created_at in lesions.values_list("pk", "patient__clinic", "created_at")
    ]


def _visit_summaries(keys: list[UUID]) -> list[VisitSummary]:
    visits = Visit.objects.filter(pk__in=keys).order_by()
    needing = without_plan(Lesion.objects.filter(pk=OuterRef("lesion"))).order_by()
    at_the_visit = Image.objects.in_use().filter(Exists(needing), visit=OuterRef("pk")).order_by()
    flags = _flags(visits, "visit", needing=visits.filter(Exists(at_the_visit)))
    facts = visits.values_list("pk", "patient__clinic", "date", "created_at", "status")
    return [
        VisitSummary(visit_id=key, clinic_id=clinic, date=date, logged_at=logged_at, status=status, **flags[key])
        for key, clinic, date, logged_at, status in facts
    ]


def _flags(rows: QuerySet[Any], row: str, *, needing: QuerySet[Any]) -> dict[UUID, dict[str, Any]]:
    """Return what the conditions of the filter say of each row, by its key."""
    photographed = Photographed(row, Image.objects.in_use().order_by())

    def fulfilling(conditions: list[Any]) -> set[UUID]:
        return set(rows.filter(*conditions).values_list("pk", flat=True))

    tiers = {key: str(tier) for tier in Answered for key in fulfilling(of_tier(tier, photographed))}
    labels = {flag: fulfilling(of_label(label, photographed)) for label, (flag, _value) in LABEL_FLAGS.items()}
    without_label = labels.pop("is_labelled")
    needs_plan = set(needing.values_list("pk", flat=True))
    return {
        key: {
            "tier": tiers.get(key, ""),
            **{flag: key in keys for flag, keys in labels.items()},
            "is_labelled": key not in without_label,
            "needs_plan": key in needs_plan,
        }
        for key in rows.values_list("pk", flat=True)
    }


def _store(model: Any, summaries: list[Any]) -> None:
    names = [field.name for field in model._meta.concrete_fields if not field.primary_key]
    key = model._meta.pk.name
    model.objects.bulk_create(summaries, update_conflicts=True, unique_fields=[key], update_fields=names)


def _lock() -> None:
    """Let one process at a time calculate until its transaction ends. SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
