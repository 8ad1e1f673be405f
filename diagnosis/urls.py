"""Addresses of what is seen and said."""

from django.urls import URLPattern, path, register_converter

from diagnosis.assessment.views import files, thresholds, upload
from diagnosis.measures import views as measures
from diagnosis.monitoring import views as watch
from diagnosis.portal import views as portal
from diagnosis.record.views import exclusion as set_aside
from diagnosis.record.views import photograph as images
from diagnosis.record.views import records
from diagnosis.reports.views import addenda, signed
from diagnosis.reports.views import signing as reports
from diagnosis.similar import views as similar

register_converter(files.ImageKindConverter, "image_kind")

urlpatterns: list[URLPattern] = [
    path("patients/<uuid:patient_id>/", records.patient, name="patient"),
    path("visits/<uuid:visit_id>/", records.visit, name="visit"),
    path("lesions/<uuid:lesion_id>/", records.lesion, name="lesion"),
    path("visits/<uuid:visit_id>/upload/", upload.upload, name="upload"),
    path("images/<uuid:image_id>/", images.image, name="image"),
    path("images/<uuid:image_id>/explanation/", images.explanation, name="image-explanation"),
    path("images/<uuid:image_id>/similar/", similar.similar, name="image-similar"),
    path("images/<uuid:image_id>/override/", images.override, name="image-override"),
    path("images/<uuid:image_id>/review/", images.review, name="image-review"),
    path("images/<uuid:image_id>/analyse/", images.analyse, name="image-analyse"),
    path("images/<uuid:image_id>/set-aside/", set_aside.set_aside, name="image-set-aside"),
    path("images/<uuid:image_id>/put-back/", set_aside.put_back, name="image-put-back"),
    path("images/<uuid:image_id>/scale/", measures.scale, name="image-scale"),
    path("images/<uuid:image_id>/<image_kind:kind>/", files.image_file, name="image-file"),
    path("visits/<uuid:visit_id>/sign/", reports.sign, name="visit-sign"),
    path("visits/<uuid:visit_id>/sign/preview/", reports.preview, name="visit-preview"),
    path("visits/<uuid:visit_id>/release/", reports.release, name="visit-release"),
    path("visits/<uuid:visit_id>/withhold/", reports.withhold, name="visit-withhold"),
    path("visits/<uuid:visit_id>/release-again/", reports.release_withheld, name="visit-release-again"),
    path("visits/<uuid:visit_id>/addendum/", addenda.add, name="visit-addendum"),
    path("reports/<uuid:report_id>/pdf/", signed.report_file, {"kind": "pdf"}, name="report-pdf"),
    path("reports/<uuid:report_id>/json/", signed.report_file, {"kind": "json"}, name="report-json"),
    path("addenda/<uuid:addendum_id>/pdf/", signed.addendum_file, {"kind": "pdf"}, name="addendum-pdf"),
    path("addenda/<uuid:addendum_id>/json/", signed.addendum_file, {"kind": "json"}, name="addendum-json"),
    path("watch/", watch.watch, name="watch"),
    path("watch/thresholds/", thresholds.thresholds, name="thresholds"),
    path("watch/site/", watch.watch_site, name="watch-site"),
    path("watch/incidents/<uuid:incident_id>/acknowledge/", watch.acknowledge, name="watch-acknowledge"),
    path("metrics", watch.metrics, name="metrics"),
    path("my/", portal.my_visits, name="my-visits"),
    path("my/visits/<uuid:visit_id>/", portal.my_visit, name="my-visit"),
]
