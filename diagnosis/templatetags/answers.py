"""What was found at visits, for lists of them."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django import template

from diagnosis.models import Image
from diagnosis.photographs import signs_by_visit
from diagnosis.signs import Sign
from patients.models import Visit

register = template.Library()


@register.simple_tag
def signs_at(visits: Iterable[Visit]) -> dict[UUID, tuple[Sign, ...]]:
    """The chips of each; visits without a photograph are left out."""
    return signs_by_visit(Image.objects.in_use().filter(visit__in=[visit.pk for visit in visits]))


@register.filter
def of_visit(signs: Mapping[UUID, tuple[Sign, ...]], visit: Visit) -> tuple[Sign, ...]:
    return signs.get(visit.pk, ())
