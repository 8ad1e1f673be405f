"""Template tags for the findings and report problems of visits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django import template
from django.utils.translation import gettext as _

from diagnosis.assessment.chips import Chip, in_order
from diagnosis.assessment.findings import ExcludedFinding, excluded_findings
from diagnosis.assessment.photographs import LesionCard, Photograph, chips_by_visit, photographs
from diagnosis.images.models import Image
from diagnosis.reports.models import Report
from diagnosis.reports.validity import UnreportedChanges, unreported_changes_among
from patients.models import Member, Visit

register = template.Library()


@dataclass(frozen=True)
class Trouble:
    """A problem with a signed report.

    Attributes:
        is_withheld: the report was released and is now withheld from the patient, so it must not be shown as released.
    """

    code: str
    words: str
    is_withheld: bool = False

    def __str__(self) -> str:
        return self.words


@register.simple_tag
def chips_at(visits: Iterable[Visit], reader: Member | None = None) -> dict[UUID, tuple[Chip, ...]]:
    """Return the chips of each visit that has any, as a list shows them to ``reader``.

    A dangerous finding of an excluded photograph is shown at every visit at which its lesion was photographed.
    """
    of_visits = Image.objects.filter(visit__in=[visit.pk for visit in visits]).order_by()
    chips = chips_by_visit(of_visits.in_use(), reader=reader)
    missed = excluded_findings(Image.objects.filter(lesion__in=of_visits.values("lesion")))
    if missed:
        for visit, lesion in set(of_visits.values_list("visit", "lesion")):
            of_lesion = [each.chip for each in missed if each.image.lesion_id == lesion]
            if of_lesion:
                chips[visit] = tuple(in_order([*of_lesion, *chips.get(visit, ())]))
    return chips


@register.simple_tag
def chips_of_card(card: LesionCard, missed: Iterable[ExcludedFinding]) -> list[Chip]:
    """Return the chips of a lesion, including dangerous findings of its excluded photographs."""
    return in_order([*(each.chip for each in missed if each.image.lesion_id == card.lesion.pk), *card.chips])


@register.simple_tag
def troubled_reports_at(visits: Iterable[Visit]) -> dict[UUID, Trouble]:
    """Return the problems of signed reports that are withheld or no longer valid, by visit."""
    closed = [visit.pk for visit in visits if not visit.is_open]
    reports = list(
        Report.objects.filter(visit__in=closed).select_related("visit__patient__clinic").prefetch_related("addenda")
    )
    withheld = set(Report.objects.kept_from_patients().filter(visit__in=closed).values_list("pk", flat=True))
    unreported, troubles = unreported_changes_among(reports), {}
    for report in reports:
        if report.pk in withheld:
            troubles[report.visit_id] = Trouble("withheld", _("Withheld from the patient"), is_withheld=True)
        elif unreported[report.pk].is_misleading:
            troubles[report.visit_id] = _trouble(unreported[report.pk])
    return troubles


def _trouble(unreported: UnreportedChanges) -> Trouble:
    """Return the most important change that a report does not contain."""
    if unreported.labels or unreported.elsewhere:
        return Trouble("reviews_contradict_report", _("Reviews contradict the signed report"))
    if unreported.excluded:
        return Trouble("report_shows_excluded", _("A photograph of the signed report is excluded"))
    return Trouble("record_changed_since", _("The record has changed since the report"))


@register.simple_tag
def trouble_with_report(visit: Visit) -> Trouble | None:
    """Return the problem of one visit's report; None if there is none."""
    return troubled_reports_at([visit]).get(visit.pk)


@register.filter
def at_visit(troubled: Mapping[UUID, Trouble], visit: Visit) -> Trouble | None:
    return troubled.get(visit.pk)


@register.simple_tag
def photographs_at(visit: Visit) -> dict[str, Photograph]:
    """Return the photographs of a visit by key, each with its chips."""
    return {str(each.image.pk): each for each in photographs(Image.objects.in_use().filter(visit=visit))}


@register.filter
def of_key(by_key: Mapping[str, Photograph], key: str) -> Photograph | None:
    return by_key.get(key)


@register.filter
def of_visit(chips: Mapping[UUID, tuple[Chip, ...]], visit: Visit) -> tuple[Chip, ...]:
    return chips.get(visit.pk, ())
