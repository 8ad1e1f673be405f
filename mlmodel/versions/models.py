"""Which networks this installation knows, which one answers, and who decided that."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ModelVersionStatus(models.TextChoices):
    CANDIDATE = "candidate", _("Candidate")
    ACTIVE = "active", _("Active")
    RETIRED = "retired", _("Retired")


class DecisionKind(models.TextChoices):
    SHIP = "ship", _("Came with the software")
    PROMOTE = "promote", _("Promoted")
    FORCE = "force", _("Promoted against the gate's advice")
    ROLL_BACK = "roll_back", _("Rolled back")


class CannotBeChanged(RuntimeError):
    """A record that is kept as it was made."""


# Of a version: kilobytes that nobody needs who asks which one it is. Lists defer them.
LONG_FIELDS = ("card", "settings", "judgement")


class ModelVersion(models.Model):
    """Backbone + head + calibration + thresholds + card: immutable but for its status, known by its hash.

    What was shipped has its files in ``mlmodel/shipped``; a retrained version has its head in ``StoredHead``.
    """

    name = models.CharField(max_length=60, unique=True, help_text=_("Architecture and the start of the hash."))
    sha256 = models.CharField(max_length=64, unique=True, help_text=_("Over the hashes of backbone and head."))
    backbone_sha256 = models.CharField(max_length=64)
    head_sha256 = models.CharField(max_length=64)
    card = models.TextField(help_text=_("The model card, as it was generated."))
    status = models.CharField(max_length=10, choices=ModelVersionStatus, default=ModelVersionStatus.CANDIDATE)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="candidates",
        help_text=_("The version it was trained from and judged against."),
    )
    settings = models.JSONField(default=dict, help_text=_("Calibration, operating points and figures."))
    judgement = models.JSONField(null=True, help_text=_("What the gate said of it, with every reason."))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ModelVersionStatus.values), name="model_status_is_known"),
            models.UniqueConstraint(
                fields=["status"], condition=Q(status="active"), name="only_one_model_version_is_active"
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True, judgement__isnull=True)
                | Q(parent__isnull=False, judgement__isnull=False),
                name="retrained_version_has_parent_and_judgement",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep a new version, or the status of a known one; nothing else of it ever changes."""
        if self.pk is not None and set(kwargs.get("update_fields") or ()) != {"status"}:
            raise CannotBeChanged("A model version is kept as it was made; only its status changes.")
        super().save(*args, **kwargs)

    @property
    def verdict(self) -> str:
        """What the gate said: promote, hold or reject; empty where it was not asked."""
        return str(self.judgement["verdict"]) if self.judgement else ""

    @property
    def answers_as_parent(self) -> bool:
        """Whether its training found nothing better than the version that it began with."""
        parent = self.parent
        return parent is not None and self.head_sha256 == parent.head_sha256


class StoredHead(models.Model):
    """The head of a retrained version: in the database, so that every process on every machine has it at once.

    A table of its own, since it is megabytes that nobody who lists versions wants.
    """

    version = models.OneToOneField(
        ModelVersion, on_delete=models.PROTECT, primary_key=True, related_name="stored_head"
    )
    content = models.BinaryField(help_text=_("What is in the head's file."))

    def __str__(self) -> str:
        return f"{self.version_id}"


class Decision(models.Model):
    """Why a version became the active one: who, when, in which words. Append-only."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="decisions")
    replaced = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=DecisionKind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    seconded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text=_("Who agreed, where it took two people."),
    )
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=DecisionKind.values), name="decision_kind_is_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="decision_states_a_reason"),
            models.CheckConstraint(
                condition=Q(kind="ship", by__isnull=True)
                | (~Q(kind="ship") & Q(by__isnull=False, replaced__isnull=False)),
                name="decision_is_somebodys_unless_it_was_shipped",
            ),
            models.CheckConstraint(
                condition=Q(seconded_by__isnull=True) | ~Q(seconded_by=models.F("by")),
                name="decision_is_seconded_by_somebody_else",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise CannotBeChanged("Decisions are kept as they were made.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise CannotBeChanged("Decisions are kept for good.")
