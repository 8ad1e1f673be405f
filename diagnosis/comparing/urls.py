"""URLs of comparing photographs."""

from django.urls import URLPattern, path

from diagnosis.comparing import views

urlpatterns: list[URLPattern] = [
    path("lesions/<uuid:lesion_id>/compare/", views.compare, name="lesion-compare"),
    path("lesions/<uuid:lesion_id>/compare/<uuid:first_id>/<uuid:second_id>/", views.change, name="lesion-change"),
]
