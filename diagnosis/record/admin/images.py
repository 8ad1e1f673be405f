"""The admin of photographs: the review queue and each photograph's history."""

from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diagnosis.assessment.refusals import quality_in_words
from diagnosis.images.models import Image, Prediction
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.record.admin.chip_columns import ShowsChips
from diagnosis.record.admin.filters import ReviewFilter, TierFilter
from diagnosis.record.admin.image_order import keys_in_order
from diagnosis.record.admin.prediction_cells import (
    class_order_in_words,
    explained_in_words,
    is_reliable,
    malignant_in_words,
    tier_in_words,
)
from diagnosis.record.admin.remarks import photograph_for
from diagnosis.reviews.admin import ReviewInline
from diagnosis.reviews.labelled_images import with_confirmed_label
from diagnosis.reviews.review_words import answer_name
from patients.admin.scope import ClinicScopedAdmin, ReadOnlyInline, patient_cell, scoped
from patients.models import Role


class PredictionInline(ReadOnlyInline):
    model = Prediction
    fields = ("created_at", "explained", "shown_tier", "malignant", "model_version", "is_shown")
    readonly_fields = fields
    verbose_name_plural = gettext_lazy("Predictions")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        rows: QuerySet[Prediction] = super().get_queryset(request)
        return rows.annotate(is_shown=Exists(Prediction.objects.shown().filter(pk=OuterRef("pk"))))

    @admin.display(description=gettext_lazy("shown"), boolean=True)
    def is_shown(self, prediction: Prediction) -> bool:
        """Whether pages show this prediction rather than another version's."""
        return getattr(prediction, "is_shown", False)

    @admin.display(description=gettext_lazy("malignant"))
    def malignant(self, prediction: Prediction) -> str:
        # For an incomplete form, Django shows a row without a prediction.
        return malignant_in_words(prediction) if prediction.code else "–"

    @admin.display(description=gettext_lazy("explained by"))
    def explained(self, prediction: Prediction) -> str:
        return explained_in_words(prediction) if prediction.code else "–"

    @admin.display(description=gettext_lazy("tier"))
    def shown_tier(self, prediction: Prediction) -> str:
        return tier_in_words(prediction) if prediction.code else "–"


@admin.register(Image)
class ImageAdmin(ShowsChips, ClinicScopedAdmin):
    list_display = ("small_photograph", "chips", "patient", "lesion_place", "created_at", "network", "confirmed")
    list_display_links = ("small_photograph", "patient")
    list_filter = (ReviewFilter, TierFilter, "created_at", "verdict", "lesion__body_site")
    list_select_related = ("visit__patient", "lesion")
    list_per_page = 25
    search_fields = ("visit__patient__record_number",)
    patient_path = "visit__patient"
    search_help_text = gettext_lazy("Patient's name or record number")
    inlines = (ReviewInline, PredictionInline)
    actions = None
    # Dermatologists submit the page to add a review; all fields of the photograph are read-only.
    change_roles = (Role.DERMATOLOGIST,)
    fieldsets = (
        (None, {"fields": ("photograph", "patient", "lesion", "visit", "confirmed", "label_history", "excluded")}),
        (
            gettext_lazy("Quality"),
            {"fields": ("quality", "override_words", "measures", "size")},
        ),
        (
            gettext_lazy("Order of the classes by the network, whether or not it can be relied on"),
            {"fields": ("class_order",), "classes": ("collapse",)},
        ),
        (
            gettext_lazy("Record"),
            {
                "fields": ("original_name", "media_type", "sha256", "uploaded_by", "created_at"),
                "classes": ("collapse",),
            },
        ),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"title": _("Photographs"), **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Image]:
        # Not super(): it would order by a column that is annotated only here.
        images: ImageQuerySet = scoped(Image.objects.all(), request)  # type: ignore[assignment]
        return with_confirmed_label(images).with_shown_prediction()

    def get_ordering(self, request: HttpRequest) -> list[str | Combinable]:
        if request.GET.get(ReviewFilter.parameter_name) == ReviewFilter.NEEDED:
            return ["-queue_entry__priority", "queue_entry__pk"]
        return ["-created_at"]

    def get_keys(self, request: HttpRequest, queryset: QuerySet[Image]) -> QuerySet[Any]:
        return keys_in_order(request, queryset)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        if any(getattr(inline.formset, "is_stale", False) for inline in context["inline_admin_formsets"]):
            response.status_code = HTTPStatus.CONFLICT
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save nothing: the page only adds reviews."""

    @admin.display(description=gettext_lazy("photograph"))
    def small_photograph(self, image: Image) -> SafeString:
        return _picture(image, kind="thumbnail", css_class="admin-thumbnail")

    @admin.display(description=gettext_lazy("photograph"))
    def photograph(self, image: Image) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>',
            image.get_absolute_url(),
            _picture(image, kind="display", css_class="admin-photograph"),
        )

    @admin.display(description=gettext_lazy("patient"))
    def patient(self, image: Image) -> SafeString:
        return patient_cell(image.visit.patient)

    @admin.display(description=gettext_lazy("lesion"))
    def lesion_place(self, image: Image) -> str:
        return str(image.lesion)

    @admin.display(description=gettext_lazy("network"))
    def network(self, image: Image) -> str:
        prediction = image.shown_prediction
        if prediction is None:
            return "–"
        if not is_reliable(prediction):
            return explained_in_words(prediction)
        return _("%(name)s; malignant classes together %(share)s") % {
            "name": explained_in_words(prediction),
            "share": malignant_in_words(prediction),
        }

    @admin.display(description=gettext_lazy("classes"))
    def class_order(self, image: Image) -> str:
        return class_order_in_words(image.shown_prediction)

    @admin.display(description=gettext_lazy("photograph"))
    def quality(self, image: Image) -> str:
        return quality_in_words(image.verdict, image.measures, kind=image.kind)

    @admin.display(description=gettext_lazy("confirmed label"))
    def confirmed(self, image: Any) -> str:
        if not image.confirmed_answer:
            return "–"
        name, photograph = answer_name(image.confirmed_answer, image.confirmed_text or ""), photograph_for(image)
        if photograph.known.is_excluded:
            return _("%(name)s – does not count: the photograph is excluded") % {"name": name}
        if photograph.contradictions:
            return _("%(name)s – contradicted by another label of this lesion") % {"name": name}
        return name

    @admin.display(description=gettext_lazy("label history"))
    def label_history(self, image: Image) -> str:
        rows = [(f"{change.created_at:%Y-%m-%d %H:%M}", change.words) for change in image.label_changes.all()]
        return format_html_join(mark_safe("<br>"), "{} · {}", rows) or "–"

    @admin.display(description=gettext_lazy("exclusions"))
    def excluded(self, image: Image) -> str:
        rows = []
        for row in image.exclusions.select_related("member__user", "ended_by__user"):
            words = f"{row.created_at:%Y-%m-%d %H:%M} · {row.member.name}: {row}. {row.note}"
            if row.ended_by is not None:
                end = {"who": row.ended_by.name, "when": f"{row.ended_at:%Y-%m-%d %H:%M}"}
                words = f"{words} ({_('undone by %(who)s, %(when)s') % end})"
            rows.append((words,))
        return format_html_join(mark_safe("<br>"), "{}", rows) or "–"

    @admin.display(description=gettext_lazy("override"))
    def override_words(self, image: Image) -> str:
        override = getattr(image, "override", None)
        if override is None:
            return "–"
        return _("%(who)s, %(when)s: “%(reason)s”") % {
            "who": override.member.name,
            "when": override.created_at.strftime("%Y-%m-%d %H:%M"),
            "reason": override.reason,
        }

    @admin.display(description=gettext_lazy("size"))
    def size(self, image: Image) -> str:
        return f"{image.width} × {image.height}"


def _picture(image: Image, *, kind: str, css_class: str) -> SafeString:
    """Return the picture by the URL that checks permissions."""
    return format_html(
        '<img class="{}" src="{}" alt="{}" loading="lazy">',
        css_class,
        reverse("image-file", args=[image.pk, kind]),
        _("Photograph of %(lesion)s") % {"lesion": image.lesion},
    )
