from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from diagnosis.images.models import ImageFeatures
from diagnosis.record.admin.predictions import ImageRelatedAdmin
from diagnosis.similar.models import ImageEmbedding


@admin.register(ImageFeatures)
class ImageFeaturesAdmin(ImageRelatedAdmin):
    """Lists which photographs have features, and of which backbone; the values themselves are not shown."""

    list_display = ("image", "patient", "backbone_sha256", "length")
    fields = ("image", "backbone_sha256", "length")

    @admin.display(description=_("numbers"))
    def length(self, features: ImageFeatures) -> int:
        return len(features.vector) // 2


@admin.register(ImageEmbedding)
class ImageEmbeddingAdmin(ImageRelatedAdmin):
    """Lists which photographs can be found as similar cases, and by which network."""

    list_display = ("image", "patient", "space_sha256", "embedded_at")
    fields = ("image", "space_sha256", "embedded_at")
