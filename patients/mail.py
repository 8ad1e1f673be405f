"""Mails that the site writes to one person."""

import smtplib
from typing import Any

from django.core.mail import send_mail
from django.template.loader import render_to_string

# For a task that mails: the server may be away for a while.
TRY_AGAIN = {
    "autoretry_for": (smtplib.SMTPException, OSError),
    "retry_backoff": 30,
    "retry_backoff_max": 3600,
    "retry_jitter": True,
    "max_retries": 8,
}


def mail_to(address: str, *, subject: str, template: str, context: dict[str, Any]) -> None:
    """Send one mail from the site's own address.

    Raises:
        OSError: the mail server did not take it (``smtplib.SMTPException`` is one).
    """
    # A clinic's name stands in subjects and must not be able to add header lines.
    send_mail(" ".join(subject.split()), render_to_string(template, context), None, [address])
