"""Links to stored photographs."""

from typing import Any

from dermascan.core.site import site_link
from diagnosis.images.models import Image


def image_link(image: Image) -> dict[str, Any]:
    """Return a stored photograph's id, page, lesion and visit, its kind and when it was taken."""
    return {
        "id": str(image.pk),
        "url": site_link(image.get_absolute_url()),
        "lesion": str(image.lesion_id),
        "visit": str(image.visit_id),
        "kind": image.kind or None,
        "taken_at": image.taken_at.isoformat() if image.taken_at else None,
    }
