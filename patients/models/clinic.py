import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from .member import Member


class ClinicQuerySet(models.QuerySet["Clinic"]):
    def visible_to(self, member: "Member | None") -> "ClinicQuerySet":
        """The member's own clinic."""
        return self.filter(pk=member.clinic_id) if member else self.none()


class Clinic(models.Model):
    """A tenant. Every record belongs to one; nobody sees across."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True)
    address = models.TextField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ClinicQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="clinic_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name
