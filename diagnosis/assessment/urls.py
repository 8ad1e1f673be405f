"""URLs of uploads, image files, photograph facts, devices and thresholds."""

from django.urls import URLPattern, path, register_converter

from diagnosis.assessment.views import devices, facts, files, thresholds, upload, upload_lesion

register_converter(files.ImageKindConverter, "image_kind")

urlpatterns: list[URLPattern] = [
    path("visits/<uuid:visit_id>/upload/", upload.upload, name="upload"),
    path("visits/<uuid:visit_id>/upload/lesion/", upload_lesion.upload_lesion, name="upload-lesion"),
    path("images/<uuid:image_id>/facts/", facts.facts, name="image-facts"),
    path("devices/", devices.devices, name="devices"),
    path("devices/new/", devices.device_new, name="device-new"),
    path("devices/<uuid:device_id>/", devices.device, name="device"),
    path("devices/<uuid:device_id>/calibration/", devices.device_calibration, name="device-calibration"),
    path("images/<uuid:image_id>/<image_kind:kind>/", files.image_file, name="image-file"),
    path("watch/thresholds/", thresholds.thresholds, name="thresholds"),
]
