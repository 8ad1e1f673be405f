"""Tell the operator of an incident, by e-mail and by webhook, once each."""

import ipaddress
import json
import logging
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone

from diagnosis.models import Incident

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5


class CannotTell(RuntimeError):
    """A message did not go out; the task tries again, and after that the next hourly run."""


def tell_of(incident: Incident) -> None:
    """Send what has not been sent yet. It waits for the network: do not call it inside a transaction.

    Raises:
        CannotTell: one of the two did not go out.
    """
    failures = []
    for field, send in (("mailed_at", _mail), ("called_at", _call)):
        # Claimed by compare-and-swap: of two workers one sends.
        now = timezone.now()
        if not Incident.objects.filter(pk=incident.pk, **{f"{field}__isnull": True}).update(**{field: now}):
            continue
        try:
            send(incident)
        except (OSError, CannotTell) as error:
            Incident.objects.filter(pk=incident.pk, **{field: now}).update(**{field: None})
            logger.warning("Incident %s: %s failed (%s).", incident.pk, send.__name__, type(error).__name__)
            failures.append(field)
    if failures:
        raise CannotTell(f"not sent: {', '.join(failures)}")


def check_webhook_address(address: str) -> None:
    """Only https, or http to this machine itself, may be called.

    Raises:
        CannotTell: another scheme, or no host.
    """
    parts = urlsplit(address)
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname))):
        return
    raise CannotTell("DERMASCAN_WATCH_WEBHOOK must begin with https://, or be an http:// address of this machine.")


def _mail(incident: Incident) -> None:
    if not settings.WATCH_EMAIL:
        return
    subject = f"DermaScan: {incident.get_watched_display()} ({incident.clinic.name})"
    send_mail(subject.replace("\n", " "), incident.words, settings.DEFAULT_FROM_EMAIL, [settings.WATCH_EMAIL])


def _call(incident: Incident) -> None:
    address = settings.WATCH_WEBHOOK
    if not address:
        return
    check_webhook_address(address)
    body = json.dumps(
        {
            "incident": str(incident.pk),
            "clinic": incident.clinic.name,
            "kind": incident.watched,
            "words": incident.words,
            "opened_at": incident.opened_at.isoformat(),
        }
    )
    # A redirect would lead to an address that the operator did not set. What fails is tried again by the task.
    answer = requests.post(
        address,
        data=body,
        headers={"Content-Type": "application/json"},
        timeout=TIMEOUT_SECONDS,
        allow_redirects=False,
    )
    if not answer.ok or answer.is_redirect:
        raise CannotTell("the webhook did not answer with 2xx")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
