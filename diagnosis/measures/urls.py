"""URLs of measurements."""

from django.urls import URLPattern, path

from diagnosis.measures import views

urlpatterns: list[URLPattern] = [
    path("images/<uuid:image_id>/scale/", views.scale, name="image-scale"),
]
