"""Proposals to change the active version, which need the approval of a second person."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mlmodel.versions.models import LONGEST_REASON, Decision, ModelVersion
from patients.models import Clinic


class ProposalState(models.TextChoices):
    WAITING = "waiting", _("Waiting for a second person")
    APPROVED = "approved", _("Approved")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    LAPSED = "lapsed", _("Lapsed")


class Needs(models.TextChoices):
    """Who has to approve."""

    PERSON = "person", _("a second person")
    CLINIC = "clinic", _("a dermatologist of another clinic, or an operator")


def expiry() -> datetime:
    return timezone.now() + timedelta(days=settings.PROPOSAL_DAYS)


class VersionProposal(models.Model):
    """A proposal to make a version the active one. Only ``diagnosis.retraining.proposals`` writes it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="proposals")
    replaces = models.ForeignKey(
        ModelVersion,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("The active version when the proposal was made."),
    )
    needs = models.CharField(max_length=10, choices=Needs)
    state = models.CharField(max_length=10, choices=ProposalState, default=ProposalState.WAITING)
    reason = models.CharField(max_length=LONGEST_REASON)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # Null for an operator, who acts for all clinics.
    proposed_clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(default=expiry)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=500, blank=True, default="", help_text=_("Why it was declined or lapsed."))
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, null=True, related_name="proposal")

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ProposalState.values), name="proposal_state_is_known"),
            models.CheckConstraint(condition=Q(needs__in=Needs.values), name="proposal_need_is_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="proposal_states_a_reason"),
            models.UniqueConstraint(
                fields=["version"], condition=Q(state="waiting"), name="one_waiting_proposal_of_a_version"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at__isnull=True)
                | (~Q(state="waiting") & Q(decided_at__isnull=False)),
                name="proposal_that_is_over_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state="approved", decided_by__isnull=False, decision__isnull=False)
                | (~Q(state="approved") & Q(decision__isnull=True)),
                name="approved_proposal_names_who_and_what_came_of_it",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | ~Q(decided_by=F("proposed_by")),
                name="proposal_is_approved_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved", needs="clinic")
                | Q(decided_clinic__isnull=True)
                | Q(proposed_clinic__isnull=True)
                | ~Q(decided_clinic=F("proposed_clinic")),
                name="proposal_is_approved_by_another_clinic_where_it_needs_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.get_state_display()}"
