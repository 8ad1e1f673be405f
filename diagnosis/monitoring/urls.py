"""URLs of the performance pages and the metrics."""

from django.urls import URLPattern, path

from diagnosis.monitoring import miss_views, views

urlpatterns: list[URLPattern] = [
    path("watch/", views.watch, name="watch"),
    path("watch/site/", views.watch_site, name="watch-site"),
    path("watch/incidents/<uuid:incident_id>/acknowledge/", views.acknowledge, name="watch-acknowledge"),
    path("outcomes/misses/", miss_views.misses, name="outcomes-misses"),
    path("metrics", views.metrics, name="metrics"),
]
