from django.db import models

from diagnosis.images.models import Image
from patients.models import Member


class SeenAnswer(models.Model):
    """That a dermatologist was shown the answer to a photograph: the network's, or what colleagues say.

    One row for each photograph and member, with the first time. A database trigger keeps it as it was written.
    """

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="seen_answers")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "member"], name="answer_is_seen_first_once")]

    def __str__(self) -> str:
        return f"{self.image_id}"


class ReaderPreference(models.Model):
    """How a reader likes to review: photograph by photograph, or lesion by lesion."""

    member = models.OneToOneField(Member, on_delete=models.CASCADE, related_name="reader_preference")
    by_lesion = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.member_id}"
