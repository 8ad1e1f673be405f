import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ContactMessage(models.Model):
    """A visitor's message to the operator. Only ``is_handled`` changes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("your name"), max_length=120)
    email = models.EmailField(_("your e-mail address"), help_text=_("Only used to answer you."))
    message = models.TextField(_("your message"), max_length=5000)
    created_at = models.DateTimeField(_("received"), auto_now_add=True)
    is_handled = models.BooleanField(_("handled"), default=False)

    class Meta:
        ordering = ["-created_at", "id"]
        verbose_name = _("message")
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="contact_message_has_a_name"),
            models.CheckConstraint(condition=~Q(email=""), name="contact_message_has_an_address"),
            models.CheckConstraint(condition=~Q(message=""), name="contact_message_is_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.created_at:%Y-%m-%d %H:%M}"
