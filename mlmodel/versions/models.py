"""Model versions of this installation, and the decisions on which one is active."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
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
    """The record is immutable."""


# Large fields of a version, which lists defer.
LONG_FIELDS = ("card", "settings", "judgement")
# Of a decision, in characters.
LONGEST_REASON = 500


class ModelVersion(models.Model):
    """Backbone + head + calibration + thresholds + card: immutable except for its status, identified by its hash.

    A shipped version has its files in ``mlmodel/shipped``; a retrained version has its head in ``StoredHead``.
    """

    name = models.CharField(
        max_length=60, unique=True, help_text=_("Architecture and the first characters of the hash.")
    )
    sha256 = models.CharField(max_length=64, unique=True, help_text=_("Hash of backbone, head and settings."))
    backbone_sha256 = models.CharField(max_length=64)
    head_sha256 = models.CharField(max_length=64)
    card = models.TextField(help_text=_("The generated model card."))
    status = models.CharField(max_length=10, choices=ModelVersionStatus, default=ModelVersionStatus.CANDIDATE)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="candidates",
        help_text=_("The version from which it was trained and with which it was compared."),
    )
    settings = models.JSONField(default=dict, help_text=_("Calibration, operating points and results."))
    judgement = models.JSONField(null=True, help_text=_("The gate's judgement with all reasons."))
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
        """Save a new version, or the status of an existing one; nothing else can change."""
        if self.pk is not None and set(kwargs.get("update_fields") or ()) != {"status"}:
            raise CannotBeChanged("Only the status of a model version can change.")
        super().save(*args, **kwargs)

    @property
    def verdict(self) -> str:
        """The gate's verdict: promote, hold or reject; empty without a judgement."""
        return str(self.judgement["verdict"]) if self.judgement else ""

    @property
    def answers_as_parent(self) -> bool:
        """Whether its training found no better head than that of its parent."""
        parent = self.parent
        return parent is not None and self.head_sha256 == parent.head_sha256


class StoredHead(models.Model):
    """The head of a retrained version, stored in the database so that all processes on all machines have it.

    It is in a separate table, so that lists of versions do not load megabytes.
    """

    version = models.OneToOneField(
        ModelVersion, on_delete=models.PROTECT, primary_key=True, related_name="stored_head"
    )
    content = models.BinaryField(help_text=_("The content of the head's file."))

    def __str__(self) -> str:
        return f"{self.version_id}"


class Decision(models.Model):
    """The decision that made a version active: who, when and why. Append-only."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="decisions")
    replaced = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=DecisionKind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    seconded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text=_("The second person who agreed, if two were required."),
    )
    reason = models.CharField(max_length=LONGEST_REASON)
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
            raise CannotBeChanged("Decisions cannot be changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise CannotBeChanged("Decisions cannot be deleted.")

    @property
    def shown_reason(self) -> str:
        """The reason in a person's words, or for a shipped version in the reader's language."""
        return gettext(self.reason) if self.kind == DecisionKind.SHIP else self.reason
