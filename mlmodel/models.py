"""Which networks this installation knows, and which one answers."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ModelVersionStatus(models.TextChoices):
    CANDIDATE = "candidate", _("Candidate")
    ACTIVE = "active", _("Active")
    RETIRED = "retired", _("Retired")


class ModelVersion(models.Model):
    """Backbone + head + calibration + thresholds + card: immutable, known by its hash."""

    name = models.CharField(max_length=60, unique=True, help_text=_("Architecture and the start of the hash."))
    sha256 = models.CharField(max_length=64, unique=True, help_text=_("Over the hashes of backbone and head."))
    backbone_sha256 = models.CharField(max_length=64)
    head_sha256 = models.CharField(max_length=64)
    card = models.TextField(help_text=_("The model card, as it was generated."))
    status = models.CharField(max_length=10, choices=ModelVersionStatus, default=ModelVersionStatus.CANDIDATE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ModelVersionStatus.values), name="model_status_is_known"),
            models.UniqueConstraint(
                fields=["status"], condition=Q(status="active"), name="only_one_model_version_is_active"
            ),
        ]

    def __str__(self) -> str:
        return self.name
