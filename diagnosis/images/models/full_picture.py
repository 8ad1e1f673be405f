import uuid

from django.db import models
from django.db.models import Q

from diagnosis.images.models.image import Image


def full_picture_path(picture: "FullPicture", filename: str) -> str:
    """Return where the picture is stored. Its key is in the name: two requests may make it at the same moment."""
    image = picture.image_id.hex
    return f"images/{image[:2]}/{image}-full-{picture.pk.hex[:12]}.jpg"


class FullPicture(models.Model):
    """A photograph with all of the original's pixels, re-encoded upright and without metadata.

    Made on first request, and only where the display picture has fewer pixels.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.OneToOneField(Image, on_delete=models.CASCADE, related_name="full_picture")
    file = models.FileField(upload_to=full_picture_path, max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(file=""), name="full_picture_has_a_file")]

    def __str__(self) -> str:
        return f"{self.image_id}"
