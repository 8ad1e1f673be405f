from django.db import models
from django.db.models import Q

from mlmodel.explanations.reading_levels import READING_LEVELS
from mlmodel.taxonomy import CODES


class Explanation(models.Model):
    """A language model's text about one condition, stored so that it is requested once. Holds no patient data."""

    code = models.CharField(max_length=8)
    language = models.CharField(max_length=20)
    reading_level = models.CharField(max_length=10, choices=[(level, level.capitalize()) for level in READING_LEVELS])
    model_name = models.CharField(max_length=80)
    sections = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["code", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "language", "reading_level", "model_name"], name="one_explanation_of_a_kind"
            ),
            models.CheckConstraint(condition=Q(code__in=CODES), name="explanation_code_is_known"),
            models.CheckConstraint(
                condition=Q(reading_level__in=READING_LEVELS), name="explanation_reading_level_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.language} {self.model_name}"
