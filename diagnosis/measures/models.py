from datetime import datetime

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from diagnosis.images.models import Image
from patients.models import Member, User

NARROWEST_MM, WIDEST_MM = 1, 500


class Measurement(models.Model):
    """One segmenter's measurement of one photograph: outline and ABCD. Append-only: a new segmenter adds a row."""

    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="measurements")
    segmenter_sha256 = models.CharField(max_length=64)
    values = models.JSONField(help_text=_("As mlmodel.segmentation.measuring.Measured.as_values returns it."))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["image", "segmenter_sha256"], name="one_measurement_per_image_and_segmenter"
            ),
            models.CheckConstraint(
                condition=Q(segmenter_sha256__regex=r"^[0-9a-f]{64}$"), name="segmenter_sha256_is_a_hash"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_id} {self.segmenter_sha256[:8]}"


class PictureScale(models.Model):
    """The width of a photograph in millimetres, as a member stated it. Append-only: the newest counts."""

    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="scales")
    width_mm = models.DecimalField(
        _("width of the whole picture, in mm"),
        max_digits=5,
        decimal_places=1,
        validators=[MinValueValidator(NARROWEST_MM), MaxValueValidator(WIDEST_MM)],
    )
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(width_mm__gte=NARROWEST_MM, width_mm__lte=WIDEST_MM), name="picture_width_is_plausible"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.width_mm} mm"

    @property
    def changed_by(self) -> User:
        return self.member.user

    @property
    def changed_at(self) -> datetime:
        return self.created_at
