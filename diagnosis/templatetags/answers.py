"""What was found at visits, for lists of them."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django import template

from diagnosis.models import Image
from diagnosis.photographs import Photograph, leading_by_visit
from patients.models import Visit

register = template.Library()


@register.simple_tag
def most_urgent(visits: Iterable[Visit]) -> dict[UUID, Photograph]:
    """Of each visit the photograph that asks for most haste; visits without one are left out."""
    return leading_by_visit(Image.objects.filter(visit__in=[visit.pk for visit in visits]))


@register.filter
def of_visit(found: Mapping[UUID, Photograph], visit: Visit) -> Photograph | None:
    return found.get(visit.pk)
