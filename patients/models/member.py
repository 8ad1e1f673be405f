import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models.clinic import Clinic
from patients.models.clinic_rows import ClinicRows
from patients.models.edited import Edited


class Role(models.TextChoices):
    STAFF = "staff", _("Staff")
    DERMATOLOGIST = "dermatologist", _("Dermatologist")
    MANAGER = "manager", _("Manager")


class MemberQuerySet(ClinicRows["Member"]):
    path_to_clinic = "clinic"


class Member(Edited):
    """A user's membership of a clinic, with a role."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="member")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="members")
    role = models.CharField(max_length=20, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        ordering = ["user__last_name", "user__first_name"]
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="member_role_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.user.get_full_name() or self.user.username

    @property
    def is_dermatologist(self) -> bool:
        return self.role == Role.DERMATOLOGIST

    @property
    def is_manager(self) -> bool:
        return self.role == Role.MANAGER
