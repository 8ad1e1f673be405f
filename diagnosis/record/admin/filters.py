"""Filters of the admin's lists of photographs and predictions."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from diagnosis.images.condition_names import condition_name
from diagnosis.images.models import Prediction, Tier
from diagnosis.reviews.models import QueueState
from mlmodel.taxonomy import CODES, CONDITIONS


class ReviewFilter(admin.SimpleListFilter):
    """Filters photographs by review: waiting, in queue order (``record.admin.image_order``), or settled."""

    title = _("review")
    parameter_name = "review"
    NEEDED, CONFIRMED, NOT_JUDGED = "needed", "confirmed", "not-judged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (self.NEEDED, _("Waiting for review, in queue order")),
            (self.CONFIRMED, _("Has a confirmed label")),
            (self.NOT_JUDGED, _("Not analysed by the network")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == self.NEEDED:
            return queryset.filter(queue_entry__state=QueueState.WAITING)
        if self.value() == self.CONFIRMED:
            return queryset.filter(confirmed_answer__isnull=False)
        if self.value() == self.NOT_JUDGED:
            return queryset.filter(~Exists(Prediction.objects.filter(image=OuterRef("pk"))))
        return queryset


class ShownFilter(admin.SimpleListFilter):
    """Limits the list to the shown prediction of each photograph, unless every version is selected."""

    title = _("which")
    parameter_name = "shown"
    ALL = "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(self.ALL, _("Every version"))]

    def choices(self, changelist: Any) -> Any:
        shown, every = super().choices(changelist)
        yield {**shown, "display": _("Shown on pages")}
        yield every

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() == self.ALL else queryset.shown()  # type: ignore[attr-defined]


class ExplainedFilter(admin.SimpleListFilter):
    """Filters predictions by the class that explains the tier, as the list shows it."""

    title = _("explained by")
    parameter_name = "explained"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(condition.code, condition_name(condition)) for condition in CONDITIONS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        code = self.value()
        return queryset.explained_by(code) if code in CODES else queryset  # type: ignore[attr-defined]


class TierFilter(admin.SimpleListFilter):
    """Filters predictions by their shown tier, or photographs by that of their shown prediction."""

    title = _("tier")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Tier.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        tier = self.value()
        if tier not in Tier.values:
            return queryset
        if queryset.model is Prediction:
            return queryset.of_shown_tier(tier)  # type: ignore[attr-defined]
        shown = Prediction.objects.shown().of_shown_tier(tier)
        return queryset.filter(Exists(shown.filter(image=OuterRef("pk")).order_by()))
