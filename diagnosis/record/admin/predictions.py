from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from diagnosis.images.models import Image, Prediction
from diagnosis.record.admin.chip_columns import ShowsChips
from diagnosis.record.admin.filters import ExplainedFilter, ShownFilter, TierFilter
from diagnosis.record.admin.prediction_cells import (
    class_order_in_words,
    explained_in_words,
    malignant_in_words,
    tier_in_words,
)
from patients.admin.scope import PatientSearch, RoleGate, patient_cell, scoped


class ImageRelatedAdmin(RoleGate, PatientSearch):
    """Read-only rows related to a photograph, visible to users who may see the photograph."""

    list_select_related = ("image__visit__patient", "image__lesion")
    list_per_page = 50
    search_fields = ("image__visit__patient__record_number",)
    patient_path = "image__visit__patient"
    search_help_text = _("Patient's name or record number")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        rows: QuerySet[Prediction] = super().get_queryset(request)
        if getattr(request.user, "is_superuser", False):
            return rows
        return rows.filter(Exists(scoped(Image.objects.all(), request).filter(pk=OuterRef("image"))))

    @admin.display(description=_("patient"))
    def patient(self, row: Prediction) -> SafeString:
        return patient_cell(row.image.visit.patient)


@admin.register(Prediction)
class PredictionAdmin(ShowsChips, ImageRelatedAdmin):
    list_display = (
        "created_at",
        "chips",
        "patient",
        "lesion",
        "shown_tier",
        "explained",
        "malignant",
        "model_version",
        "is_shown",
    )
    list_filter = (ShownFilter, TierFilter, ExplainedFilter, "created_at", "model_version")
    fieldsets = (
        (None, {"fields": ("image", "model_version", "explained", "shown_tier", "malignant")}),
        (_("Record"), {"fields": ("duration", "was_rescored", "created_at")}),
        (
            _("Order of the classes by the network, whether or not it can be relied on"),
            {"fields": ("class_order",), "classes": ("collapse",)},
        ),
    )
    readonly_fields = ("explained", "shown_tier", "malignant", "class_order")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        rows = super().get_queryset(request).select_related("image__visit__patient", "image__lesion", "model_version")
        return rows.annotate(is_shown=Exists(Prediction.objects.shown().filter(pk=OuterRef("pk"))))

    @admin.display(description=_("shown on its page"), boolean=True)
    def is_shown(self, prediction: Prediction) -> bool:
        """Whether pages show this prediction rather than another version's."""
        return prediction.is_shown  # type: ignore[attr-defined]

    @admin.display(description=_("lesion"))
    def lesion(self, prediction: Prediction) -> str:
        return str(prediction.image.lesion)

    @admin.display(description=_("malignant"), ordering="malignant_probability")
    def malignant(self, prediction: Prediction) -> str:
        return malignant_in_words(prediction)

    @admin.display(description=_("explained by"))
    def explained(self, prediction: Prediction) -> str:
        return explained_in_words(prediction)

    @admin.display(description=_("the network alone"), ordering="tier")
    def shown_tier(self, prediction: Prediction) -> str:
        return tier_in_words(prediction)

    @admin.display(description=_("classes"))
    def class_order(self, prediction: Prediction) -> str:
        return class_order_in_words(prediction)
