"""What was found at visits, for lists of them."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django import template

from diagnosis.models import Image
from diagnosis.photographs import Found, found_by_visit
from patients.models import Visit

register = template.Library()


@register.simple_tag
def found_at(visits: Iterable[Visit]) -> dict[UUID, Found]:
    """What was found at each; visits without a photograph are left out."""
    return found_by_visit(Image.objects.in_use().filter(visit__in=[visit.pk for visit in visits]))


@register.filter
def of_visit(found: Mapping[UUID, Found], visit: Visit) -> Found | None:
    return found.get(visit.pk)
