"""The site's URLs, and some views that fail in different ways."""

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.urls import path

from dermascan.urls import urlpatterns as site


def fails(request: HttpRequest, how: str) -> HttpResponse:
    raise {
        "400": SuspiciousOperation("junk"),
        "403": PermissionDenied("This page is for dermatologists."),
        "500": RuntimeError("a secret that nobody may read"),
    }[how]


urlpatterns = [*site, path("fails/<how>/", fails)]
