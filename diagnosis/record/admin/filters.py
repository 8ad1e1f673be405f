"""How a list of photographs is narrowed."""

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
    """What waits in the review queue, in its order (``record.admin.image_order``), and what is settled."""

    title = _("review")
    parameter_name = "review"
    NEEDED, CONFIRMED, NOT_JUDGED = "needed", "confirmed", "not-judged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (self.NEEDED, _("Waits for review, in the queue's order")),
            (self.CONFIRMED, _("Has a confirmed label")),
            (self.NOT_JUDGED, _("Not judged by the network")),
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
    """Of each photograph the prediction that is shown, unless those of every version are asked for."""

    title = _("which")
    parameter_name = "shown"
    ALL = "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(self.ALL, _("Of every version"))]

    def choices(self, changelist: Any) -> Any:
        shown, every = super().choices(changelist)
        yield {**shown, "display": _("Shown on the pages")}
        yield every

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() == self.ALL else queryset.shown()  # type: ignore[attr-defined]


class ExplainedFilter(admin.SimpleListFilter):
    """By the class that explains the tier, which is what the list shows."""

    title = _("explained by")
    parameter_name = "explained"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(condition.code, condition_name(condition)) for condition in CONDITIONS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        code = self.value()
        return queryset.explained_by(code) if code in CODES else queryset  # type: ignore[attr-defined]


class TierFilter(admin.SimpleListFilter):
    """By the tier that is shown: of predictions themselves, or of photographs by the prediction that is shown."""

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
