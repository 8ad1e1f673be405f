"""URLs of the patient’s pages."""

from django.urls import URLPattern, path

from diagnosis.portal import views

urlpatterns: list[URLPattern] = [
    path("my/", views.my_visits, name="my-visits"),
    path("my/visits/<uuid:visit_id>/", views.my_visit, name="my-visit"),
]
