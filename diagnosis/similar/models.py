from django.db import models
from django.db.models import Q

from diagnosis.images.models import Image


class ImageEmbedding(models.Model):
    """The embedding of one photograph for similarity search. Vectors of two spaces are never compared."""

    image = models.OneToOneField(Image, on_delete=models.CASCADE, related_name="embedding")
    # Hash of backbone and projection, which define the space.
    space_sha256 = models.CharField(max_length=64)
    vector = models.BinaryField(help_text="Little-endian float16, of unit length.")
    embedded_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(space_sha256__regex=r"^[0-9a-f]{64}$"), name="embedding_names_its_space"
            ),
        ]
        indexes = [models.Index(fields=["space_sha256", "embedded_at"], name="embeddings_of_a_space")]

    def __str__(self) -> str:
        return f"{self.image_id}"
