"""Where to find what was kept."""

from typing import Any

from rest_framework.request import Request

from diagnosis.models import Image


def image_link(image: Image, request: Request | None = None) -> dict[str, Any]:
    """The kept photograph: its id, the page that shows it, and where it was put."""
    path = image.get_absolute_url()
    return {
        "id": str(image.pk),
        "url": request.build_absolute_uri(path) if request else path,
        "lesion": str(image.lesion_id),
        "visit": str(image.visit_id),
    }
