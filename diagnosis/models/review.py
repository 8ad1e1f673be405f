import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from mlmodel.taxonomy import BY_CODE, CODES, CONDITIONS, Condition
from patients.models import Member

from .image import Image


class Certainty(models.TextChoices):
    CERTAIN = "certain", _("Certain")
    PROBABLE = "probable", _("Probable")
    UNSURE = "unsure", _("Unsure – settles nothing")


DECIDING = (Certainty.CERTAIN, Certainty.PROBABLE)


class ReviewQuerySet(models.QuerySet["Review"]):
    def visible_to(self, member: Member | None) -> "ReviewQuerySet":
        """The reviews of the photographs of the member's clinic."""
        return self.filter(image__visit__patient__clinic=member.clinic_id) if member else self.none()

    def deciding(self) -> "ReviewQuerySet":
        """Those that can settle a label."""
        return self.filter(certainty__in=DECIDING)


class Review(models.Model):
    """What one dermatologist said of one image. Append-only; the newest that decides is the confirmed label."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="reviews")
    code = models.CharField(_("label"), max_length=8, choices=[(c.code, c.name) for c in CONDITIONS])
    certainty = models.CharField(_("how sure"), max_length=10, choices=Certainty)
    reason = models.TextField(_("why"), blank=True, max_length=2000)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(code__in=CODES), name="review_label_is_known"),
            models.CheckConstraint(condition=Q(certainty__in=Certainty.values), name="review_certainty_is_known"),
        ]
        indexes = [
            models.Index(fields=["image", "-created_at"], name="reviews_of_an_image"),
            models.Index(fields=["-created_at"], name="reviews_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.condition.name} ({self.get_certainty_display().lower()})"

    @property
    def condition(self) -> Condition:
        return BY_CODE[self.code]
