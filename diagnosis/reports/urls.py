"""URLs for signing, releasing and reading reports."""

from django.urls import URLPattern, path

from diagnosis.reports.views import addenda, signed, signing

urlpatterns: list[URLPattern] = [
    path("visits/<uuid:visit_id>/sign/", signing.sign, name="visit-sign"),
    path("visits/<uuid:visit_id>/sign/preview/", signing.preview, name="visit-preview"),
    path("visits/<uuid:visit_id>/release/", signing.release, name="visit-release"),
    path("visits/<uuid:visit_id>/withhold/", signing.withhold, name="visit-withhold"),
    path("visits/<uuid:visit_id>/release-again/", signing.release_withheld, name="visit-release-again"),
    path("visits/<uuid:visit_id>/addendum/", addenda.add, name="visit-addendum"),
    path("reports/<uuid:report_id>/pdf/", signed.report_file, {"kind": "pdf"}, name="report-pdf"),
    path("reports/<uuid:report_id>/json/", signed.report_file, {"kind": "json"}, name="report-json"),
    path("addenda/<uuid:addendum_id>/pdf/", signed.addendum_file, {"kind": "pdf"}, name="addendum-pdf"),
    path("addenda/<uuid:addendum_id>/json/", signed.addendum_file, {"kind": "json"}, name="addendum-json"),
]
