"""Symptoms in the admin of visits: those of lesions, and those of earlier visits as a whole."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from patients.models import SymptomAnswer, Visit
from patients.models.visit import SYMPTOMS
from patients.services.symptoms import newest_statements, symptoms_at


class SymptomFilter(admin.SimpleListFilter):
    """Limits the list to visits at which a symptom was reported, of a lesion or of the visit as a whole."""

    title = _("reported symptom")
    parameter_name = "symptom"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [(name, Visit._meta.get_field(name).verbose_name) for name in SYMPTOMS]  # type: ignore[union-attr]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Visit]) -> QuerySet[Visit]:
        name = self.value()
        if name not in SYMPTOMS:
            return queryset
        of_a_lesion = newest_statements().filter(visit=OuterRef("pk"), **{name: SymptomAnswer.YES}).order_by()
        return queryset.filter(Q(**{name: True}) | Exists(of_a_lesion))


def symptoms_in_words(visit: Visit) -> str:
    """Return what was reported of each lesion; a dash if nothing was recorded."""
    rows = symptoms_at([visit.pk]).values()
    return "; ".join(f"{row.lesion.title}: {row}" for row in rows) or "–"
