from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from patients.models.user import User


class Edited(models.Model):
    """A record that is edited in place. It stores who changed it last, to tell a colleague whose form is stale."""

    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    changed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    def note_change(self, *, by: "User") -> None:
        """Set who changed the record and when; the caller saves it."""
        self.changed_by = by
        self.changed_at = timezone.now()
