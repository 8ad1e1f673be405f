"""URLs of similar cases."""

from django.urls import URLPattern, path

from diagnosis.similar import views

urlpatterns: list[URLPattern] = [
    path("images/<uuid:image_id>/similar/", views.similar, name="image-similar"),
]
