"""URLs of specimens, laboratory results and closed lesions."""

from django.urls import URLPattern, path

from diagnosis.outcomes.views import awaited, closures, pathology, specimens

urlpatterns: list[URLPattern] = [
    path("lesions/<uuid:lesion_id>/specimens/new/", specimens.specimen_new, name="specimen-new"),
    path("lesions/<uuid:lesion_id>/close/", closures.lesion_close, name="lesion-close"),
    path("lesions/<uuid:lesion_id>/reopen/", closures.lesion_reopen, name="lesion-reopen"),
    path("specimens/<uuid:specimen_id>/withdraw/", specimens.specimen_withdraw, name="specimen-withdraw"),
    path("specimens/<uuid:specimen_id>/result/", pathology.pathology_new, name="pathology-new"),
    path("results/<uuid:result_id>/", pathology.pathology, name="pathology"),
    path("results/<uuid:result_id>/confirm/", pathology.pathology_confirm, name="pathology-confirm"),
    path("results/<uuid:result_id>/withdraw/", pathology.pathology_withdraw, name="pathology-withdraw"),
    path("results/<uuid:result_id>/file/", pathology.pathology_file, name="pathology-file"),
    path("outcomes/awaited/", awaited.awaited, name="outcomes-awaited"),
]
