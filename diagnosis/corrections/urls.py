"""Addresses of the corrections: one for each act, and one for each correction that was made."""

from django.urls import URLPattern, path

from diagnosis.corrections import views

urlpatterns: list[URLPattern] = [
    path("images/<uuid:image_id>/move/", views.image_move, name="image-move"),
    path("lesions/<uuid:lesion_id>/move/", views.lesion_move, name="lesion-move"),
    path("visits/<uuid:visit_id>/move/", views.visit_move, name="visit-move"),
    path("visits/<uuid:visit_id>/void/", views.visit_void, name="visit-void"),
    path("patients/<uuid:patient_id>/merge/", views.patient_merge, name="patient-merge"),
    path("corrections/<uuid:correction_id>/", views.correction, name="correction"),
]
