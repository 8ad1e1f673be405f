import hashlib
import uuid
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Length
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from patients.models.audit import AuditAction
from patients.models.clinic import Clinic
from patients.models.member import Member, Role

models.CharField.register_lookup(Length)

PREFIX_LENGTH = 8


class Revocation(models.TextChoices):
    """Why a token stopped working before it expired."""

    BY_HAND = "by_hand", _("revoked")
    REPLACED = "replaced", _("replaced by a new one")
    PASSWORD = "password", _("the password was changed")
    DEACTIVATED = "deactivated", _("the account was deactivated")
    ROLE = "role", _("role or clinic changed")


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def visible_to(self, member: Member | None) -> "ApiTokenQuerySet":
        """Return the tokens that ``member`` may see and revoke: their own or, for a manager, all of the clinic's."""
        if member is None:
            return self.none()
        in_clinic = self.filter(clinic=member.clinic_id)
        return in_clinic if member.is_manager else in_clinic.filter(member=member)

    def alive(self) -> "ApiTokenQuerySet":
        """Return the tokens that work now."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())

    def revoke(self, *, because: Revocation, by: Any = None) -> int:
        """Revoke the tokens that work now and return their number. Expired ones are not changed."""
        from patients.audit import note_change

        with transaction.atomic():
            alive = list(self.alive().values_list("pk", "clinic"))
            for token, clinic_id in alive:
                note_change(
                    AuditAction.PERMISSION,
                    clinic_id=clinic_id,
                    kind="api token",
                    record=token,
                    query=f"revoked: {because}",
                )
            rows = self.model._base_manager.filter(pk__in=[token for token, _clinic in alive], revoked_at=None)
            return rows.update(revoked_at=timezone.now(), revoked_because=because, revoked_by=by)


class ApiToken(models.Model):
    """A credential with which a program acts as a member. Only its hash is stored; the token is shown once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="api_tokens")
    # The clinic and role it was created for; it stops working when the member's role or clinic changes.
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, choices=Role)
    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(_("begins with"), max_length=PREFIX_LENGTH)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"))
    # A date, not a time: enough to find unused tokens, at one write a day.
    last_used_on = models.DateField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_because = models.CharField(_("reason"), max_length=20, choices=Revocation, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="api_token_has_a_name"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="api_token_role_is_known"),
            models.CheckConstraint(condition=Q(key_hash__length=64), name="api_token_is_stored_as_a_hash"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="api_token_expires_after_creation"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_because="", revoked_by=None)
                | Q(revoked_at__isnull=False, revoked_because__in=Revocation.values),
                name="revoked_api_token_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def is_alive(self) -> bool:
        return self.revoked_at is None and not self.is_expired


def hash_of(key: str) -> str:
    """Return the hash under which a token is stored. Tokens are long and random, so a fast hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()
