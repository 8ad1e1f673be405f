"""URLs of the review screen, below the admin's ``review/`` and protected by the admin site."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from diagnosis.record.views import review_lesion
from diagnosis.record.views import review_screen as review
from diagnosis.reviews import views as agreement


def review_urls(admin_view: Callable[[Any], Any]) -> list[URLPattern]:
    """Return the patterns with every view wrapped by ``AdminSite.admin_view``."""
    views: list[tuple[str, Any, str]] = [
        ("", review.next_photograph, "review"),
        ("mode/", review.mode, "review-mode"),
        ("undo/", review.undo, "review-undo"),
        ("unit/", review.unit, "review-unit"),
        ("skipped/", review.skipped, "review-skipped"),
        ("lesions/", review_lesion.next_lesion, "review-lesions"),
        ("lesions/<uuid:visit_id>/<uuid:lesion_id>/", review_lesion.lesion, "review-lesion"),
        ("lesions/<uuid:visit_id>/<uuid:lesion_id>/skip/", review_lesion.skip, "review-lesion-skip"),
        ("agreement/", agreement.agreement, "review-agreement"),
        ("<uuid:image_id>/", review.photograph, "review-photograph"),
        ("<uuid:image_id>/others/", review.others, "review-others"),
        ("<uuid:image_id>/skip/", review.skip_photograph, "review-skip"),
    ]
    return [path(f"review/{route}", admin_view(view), name=name) for route, view, name in views]
