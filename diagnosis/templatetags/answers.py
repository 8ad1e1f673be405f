"""What was found at visits, for lists of them."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django import template
from django.utils.translation import gettext as _

from diagnosis.models import Image, Report
from diagnosis.photographs import Photograph, photographs, signs_by_visit
from diagnosis.reports.otherwise import Otherwise, otherwise_among
from diagnosis.signs import Sign
from patients.models import Visit

register = template.Library()


@register.simple_tag
def signs_at(visits: Iterable[Visit]) -> dict[UUID, tuple[Sign, ...]]:
    """The chips of each; visits without a photograph are left out."""
    return signs_by_visit(Image.objects.in_use().filter(visit__in=[visit.pk for visit in visits]))


@register.simple_tag
def troubled_reports_at(visits: Iterable[Visit]) -> dict[UUID, str]:
    """Of visits whose signed report is withheld or no longer holds: why, in words."""
    closed = [visit.pk for visit in visits if not visit.is_open]
    reports = list(
        Report.objects.filter(visit__in=closed)
        .select_related("visit__patient__clinic")
        .prefetch_related("addenda", "withholdings")
    )
    other_patient = set(Report.objects.withheld().filter(visit__in=closed).values_list("pk", flat=True))
    otherwise, found = otherwise_among(reports), {}
    for report in reports:
        by_hand = any(row.ended_at is None for row in report.withholdings.all())
        if by_hand or report.pk in other_patient:
            found[report.visit_id] = _("Withheld from the patient")
        elif otherwise[report.pk].is_misleading:
            found[report.visit_id] = _trouble(otherwise[report.pk])
    return found


def _trouble(otherwise: Otherwise) -> str:
    """What weighs most of all that a report does not say."""
    if otherwise.labels or otherwise.elsewhere:
        return _("Reviews disagree with the signed report")
    if otherwise.set_aside:
        return _("A photograph of the signed report was set aside")
    return _("The record has changed since the report")


@register.simple_tag
def trouble_with_report(visit: Visit) -> str:
    """The same of one visit; empty where all is well."""
    return troubled_reports_at([visit]).get(visit.pk, "")


@register.filter
def at_visit(words: Mapping[UUID, str], visit: Visit) -> str:
    return words.get(visit.pk, "")


@register.simple_tag
def photographs_at(visit: Visit) -> dict[str, Photograph]:
    """The photographs of a visit by their keys, each with its chips."""
    return {str(each.image.pk): each for each in photographs(Image.objects.in_use().filter(visit=visit))}


@register.filter
def of_key(shown: Mapping[str, Photograph], key: str) -> Photograph | None:
    return shown.get(key)


@register.filter
def of_visit(signs: Mapping[UUID, tuple[Sign, ...]], visit: Visit) -> tuple[Sign, ...]:
    return signs.get(visit.pk, ())
