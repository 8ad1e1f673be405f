"""Notifications of an incident to the operator, by e-mail and by webhook, queued together with the incident."""

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import requests
from django.conf import settings
from django.utils.translation import gettext as _

from diagnosis.monitoring.models import Incident
from patients.models import MessageKind, OutgoingMessage
from patients.outbox import CannotSend, Letter, queue_message, writes

TIMEOUT_SECONDS = 5


def queue_notifications(incident: Incident) -> None:
    """Queue the configured notifications; call it in the transaction that opens the incident."""
    if settings.WATCH_EMAIL:
        queue_message(MessageKind.INCIDENT, about=incident.pk, address=settings.WATCH_EMAIL)
    if settings.WATCH_WEBHOOK:
        queue_message(MessageKind.INCIDENT_CALL, about=incident.pk)


def with_messages(incidents: Iterable[Incident]) -> list[tuple[Incident, list[OutgoingMessage]]]:
    """Return each incident with its notifications, sent or queued."""
    incidents = list(incidents)
    rows: dict[UUID, list[OutgoingMessage]] = {incident.pk: [] for incident in incidents}
    kinds = (MessageKind.INCIDENT, MessageKind.INCIDENT_CALL)
    for row in OutgoingMessage.objects.filter(kind__in=kinds, about__in=rows).order_by("kind"):
        rows[row.about_key].append(row)
    return [(incident, rows[incident.pk]) for incident in incidents]


def check_webhook_address(address: str) -> None:
    """Check that a webhook address is https, or http to this machine.

    Raises:
        CannotSend: another scheme, or no host.
    """
    parts = urlsplit(address)
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname))):
        return
    raise CannotSend("DERMASCAN_WATCH_WEBHOOK must begin with https://, or be an http:// address of this machine.")


@writes(MessageKind.INCIDENT)
def incident_letter(message: OutgoingMessage) -> Letter | None:
    incident = _incident_of(message)
    if incident is None or not settings.WATCH_EMAIL:
        return None
    message.address = settings.WATCH_EMAIL  # the current setting
    subject = f"{settings.SITE_NAME}: {incident.get_kind_display()} ({incident.clinic.name})"
    return Letter(message.address, subject, incident.words)


@dataclass(frozen=True)
class WebhookCall:
    """One POST to the address in the settings; the address may hold a secret and is not stored anywhere else."""

    body: str

    def send(self, *, key: UUID) -> str:
        address = settings.WATCH_WEBHOOK
        check_webhook_address(address)
        # Redirects are refused: they lead to an address that the operator did not set.
        try:
            response = requests.post(
                address,
                data=self.body,
                headers={"Content-Type": "application/json", "Idempotency-Key": str(key)},
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise CannotSend(_("the webhook could not be reached")) from error
        if not response.ok or response.is_redirect:
            raise CannotSend(
                _("the webhook answered with %(status)d, not with 2xx") % {"status": response.status_code}
            )
        return ""


@writes(MessageKind.INCIDENT_CALL)
def incident_call(message: OutgoingMessage) -> WebhookCall | None:
    incident = _incident_of(message)
    if incident is None or not settings.WATCH_WEBHOOK:
        return None
    body = {
        "incident": str(incident.pk),
        "clinic": incident.clinic.name,
        "kind": incident.kind,
        "words": incident.words,
        "opened_at": incident.opened_at.isoformat(),
    }
    return WebhookCall(json.dumps(body))


def _incident_of(message: OutgoingMessage) -> Incident | None:
    return Incident.objects.select_related("clinic").filter(pk=message.about_key).first()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
