"""URLs of the record: patients, visits, lesions, photographs."""

from django.urls import URLPattern, path

from diagnosis.record.views import body_map, exclusion, photograph, records, saved_filters, search, today

urlpatterns: list[URLPattern] = [
    path("today/", today.today, name="today"),
    path("today/filter/", today.choose_filter, name="today-filter"),
    path("today/<slug:code>/", today.section, name="today-section"),
    path("visits/", search.visit_list, name="visits"),
    path("visits/csv/", search.visits_csv, name="visits-csv"),
    path("lesions/", search.lesion_list, name="lesions"),
    path("lesions/csv/", search.lesions_csv, name="lesions-csv"),
    path("filters/", saved_filters.save, name="filter-save"),
    path("filters/<uuid:filter_id>/delete/", saved_filters.delete, name="filter-delete"),
    path("patients/<uuid:patient_id>/", records.patient, name="patient"),
    path("visits/<uuid:visit_id>/", records.visit, name="visit"),
    path("lesions/<uuid:lesion_id>/", records.lesion, name="lesion"),
    path("patients/<uuid:patient_id>/map/", body_map.body_map, name="body-map"),
    path("lesions/<uuid:lesion_id>/place/", body_map.lesion_place, name="lesion-place"),
    path("images/<uuid:image_id>/", photograph.image, name="image"),
    path("images/<uuid:image_id>/explanation/", photograph.explanation, name="image-explanation"),
    path("images/<uuid:image_id>/override/", photograph.override, name="image-override"),
    path("images/<uuid:image_id>/review/", photograph.review, name="image-review"),
    path("images/<uuid:image_id>/analyse/", photograph.analyse, name="image-analyse"),
    path("images/<uuid:image_id>/exclude/", exclusion.exclude, name="image-exclude"),
    path("images/<uuid:image_id>/undo-exclusion/", exclusion.undo, name="image-undo-exclusion"),
]
