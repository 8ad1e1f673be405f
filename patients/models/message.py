import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dermascan.core.clock import CLOCKS_APART
from patients.models.member import Member


class MessageKind(models.TextChoices):
    """What a message is about. Its text is written when it is sent; see ``patients.outbox.letters``."""

    INVITATION = "invitation", _("Link to choose a password")
    PASSWORD_RESET = "password_reset", _("Link to reset a password")
    ACCOUNT = "account", _("About an account")
    REPORT = "report", _("A report was released")
    ADDENDUM = "addendum", _("An addendum was added to a report")
    WITHHELD = "withheld", _("A report is withheld")
    OPINION_ASKED = "opinion_asked", _("Request for a second opinion")
    OPINION_ANSWERED = "opinion_answered", _("A second opinion was given")
    CONTRADICTED = "contradicted", _("A laboratory result contradicts a report")
    CONTACT = "contact", _("Message to the operator")
    RECALL = "recall", _("An appointment to make")
    INCIDENT = "incident", _("Incident, by e-mail")
    INCIDENT_CALL = "incident_call", _("Incident, by webhook")


class MessageState(models.TextChoices):
    WAITING = "waiting", _("Waiting to be sent")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    REFUSED = "refused", _("Could not be delivered")
    GIVEN_UP = "given_up", _("Given up")
    CANCELLED = "cancelled", _("Not sent: no longer needed")


# The longest an attempt to send may take before another worker may retry.
LEASE = timedelta(minutes=4)
LONGEST_DELAY = timedelta(minutes=30)

UNFINISHED = (MessageState.WAITING, MessageState.SENDING)
UNDELIVERED = (MessageState.REFUSED, MessageState.GIVEN_UP)
# Kinds that are sent once for each object. A new link may be sent as often as it is requested.
_ONCE = (
    "report",
    "addendum",
    "withheld",
    "contradicted",
    "recall",
    "contact",
    "incident",
    "incident_call",
    "opinion_asked",
    "opinion_answered",
)


class MessageQuerySet(models.QuerySet["OutgoingMessage"]):
    def visible_to(self, member: Member | None) -> "MessageQuerySet":
        """Return the messages to the patients and members of the member's clinic."""
        if member is None:
            return self.none()
        return self.filter(
            Q(user__patient__clinic=member.clinic_id)
            | Q(user__member__clinic=member.clinic_id)
            | Q(patient__clinic=member.clinic_id)
        )

    def undelivered(self) -> "MessageQuerySet":
        return self.filter(state__in=UNDELIVERED)

    def due(self, now: datetime | None = None) -> "MessageQuerySet":
        """Return the messages to send now, including those whose worker was killed while sending.

        Also those scheduled further ahead than any delay allows, because the clock was set back since.
        """
        now = now or timezone.now()
        return self.filter(
            Q(state=MessageState.WAITING, next_attempt_at__lte=now)
            | Q(state=MessageState.WAITING, next_attempt_at__gt=now + LONGEST_DELAY + CLOCKS_APART)
            | Q(state=MessageState.SENDING, lease_until__lt=now)
            | Q(state=MessageState.SENDING, lease_until__gt=now + LEASE + CLOCKS_APART)
        )


class OutgoingMessage(models.Model):
    """One outgoing message and its delivery state. Only ``patients.outbox`` writes these rows.

    The row refers to its subject by key. The text is written when the message is sent, so that no clinical content and
    no link that opens an account is stored here.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=20, choices=MessageKind)
    about = models.UUIDField(null=True, help_text=_("The key of the object that the message is about."))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="messages", verbose_name=_("to")
    )
    # For what is sent to the address in the patient's record, with or without an account.
    patient = models.ForeignKey("patients.Patient", on_delete=models.CASCADE, null=True, related_name="+")
    address = models.CharField(_("address"), max_length=254, blank=True, default="")
    # Only for account e-mails that were written in advance; erased once sent.
    subject = models.CharField(max_length=255, blank=True, default="")
    body = models.TextField(blank=True, default="")
    state = models.CharField(_("state"), max_length=10, choices=MessageState, default=MessageState.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    give_up_at = models.DateTimeField(_("tried until"))
    claim = models.UUIDField(null=True, help_text=_("The attempt that holds the row while it is being sent."))
    lease_until = models.DateTimeField(null=True, help_text=_("When the attempt is considered dead."))
    last_error = models.CharField(_("last error"), max_length=300, blank=True, default="")
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        verbose_name = _("outgoing message")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=MessageKind.values), name="message_kind_is_known"),
            models.CheckConstraint(condition=Q(state__in=MessageState.values), name="message_state_is_known"),
            models.UniqueConstraint(
                fields=["kind", "about"], condition=Q(kind__in=_ONCE), name="one_message_of_a_kind_about_one_thing"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=_ONCE) | Q(about__isnull=False), name="message_names_what_it_is_about"
            ),
            models.CheckConstraint(
                condition=Q(state="sending", claim__isnull=False, lease_until__isnull=False)
                | (~Q(state="sending") & Q(claim__isnull=True, lease_until__isnull=True)),
                name="message_is_claimed_while_it_is_sent",
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNFINISHED, finished_at__isnull=True)
                | (~Q(state__in=UNFINISHED) & Q(finished_at__isnull=False)),
                name="message_that_is_finished_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=UNDELIVERED) | ~Q(last_error=""), name="undelivered_message_says_why"
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNFINISHED) | Q(subject="", body=""), name="finished_message_keeps_no_text"
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(state__in=UNFINISHED), name="messages_to_be_sent"),
            models.Index(fields=["about"], name="messages_about"),
            models.Index(
                fields=["kind", "finished_at"], condition=Q(state__in=UNDELIVERED), name="messages_undelivered"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_state_display()}"

    @property
    def about_key(self) -> uuid.UUID:
        """The key of the object that the message is about, for kinds that have one."""
        assert self.about is not None, "message_names_what_it_is_about"
        return self.about

    @property
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED

    @property
    def is_undelivered(self) -> bool:
        return self.state in UNDELIVERED
