"""URLs of the retraining pages, below the admin's ``retraining/`` and protected by the admin site."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from diagnosis.retraining.views import runs as retraining


def retraining_urls(admin_view: Callable[[Any], Any]) -> list[URLPattern]:
    """Return the patterns with every view wrapped by ``AdminSite.admin_view``."""
    views: list[tuple[str, Any, str]] = [
        ("", retraining.runs, "retraining"),
        ("start/", retraining.start, "retraining-start"),
        ("<uuid:run_id>/", retraining.run, "retraining-run"),
        ("<uuid:run_id>/resume/", retraining.resume, "retraining-resume"),
        ("<uuid:run_id>/abandon/", retraining.abandon, "retraining-abandon"),
    ]
    return [path(f"retraining/{route}", admin_view(view), name=name) for route, view, name in views]
