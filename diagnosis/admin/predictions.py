from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from diagnosis.models import Image, Prediction
from diagnosis.presentation import percent
from patients.admin.scope import RoleGate, scoped


class OfAnImage(RoleGate, admin.ModelAdmin):
    """Rows that belong to a photograph: seen by whoever sees the photograph, changed by nobody."""

    list_select_related = ("image__visit__patient", "image__lesion")
    list_per_page = 50
    show_full_result_count = False
    search_fields = (
        "image__visit__patient__family_name",
        "image__visit__patient__given_name",
        "image__visit__patient__record_number",
    )
    search_help_text = _("Patient's name or record number")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        rows: QuerySet[Prediction] = super().get_queryset(request)
        if getattr(request.user, "is_superuser", False):
            return rows
        return rows.filter(image__in=scoped(Image.objects.all(), request))

    @admin.display(description=_("patient"))
    def patient(self, row: Prediction) -> str:
        return str(row.image.visit.patient)


@admin.register(Prediction)
class PredictionAdmin(OfAnImage):
    list_display = ("created_at", "patient", "lesion", "code", "tier", "malignant", "model_version")
    list_filter = ("tier", "code", "model_version")
    date_hierarchy = "created_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        return super().get_queryset(request).select_related("image__visit__patient", "image__lesion", "model_version")

    @admin.display(description=_("lesion"))
    def lesion(self, prediction: Prediction) -> str:
        return str(prediction.image.lesion)

    @admin.display(description=_("malignant"), ordering="malignant_probability")
    def malignant(self, prediction: Prediction) -> str:
        return percent(prediction.malignant_probability)
