"""URLs of uploads, image files and thresholds."""

from django.urls import URLPattern, path, register_converter

from diagnosis.assessment.views import files, thresholds, upload

register_converter(files.ImageKindConverter, "image_kind")

urlpatterns: list[URLPattern] = [
    path("visits/<uuid:visit_id>/upload/", upload.upload, name="upload"),
    path("images/<uuid:image_id>/<image_kind:kind>/", files.image_file, name="image-file"),
    path("watch/thresholds/", thresholds.thresholds, name="thresholds"),
]
