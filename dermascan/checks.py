"""System checks of an installation's settings, for ``manage.py check --deploy``."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.http.request import split_domain_port, validate_host

from patients.outbox import is_kept_here


@checks.register(checks.Tags.security, deploy=True)
def check_site_url(**_: Any) -> list[checks.CheckMessage]:
    """Check that links in e-mails lead to this site: the URL is set, uses HTTPS and is an allowed host."""
    warnings: list[checks.CheckMessage] = []
    if not settings.SITE_URL_IS_SET:
        warnings.append(
            checks.Warning(
                f"DERMASCAN_SITE_URL is not set: links in e-mails start with {settings.SITE_URL}.",
                hint="Set it to the address that members and patients use, such as https://dermascan.clinic.example.",
                id="dermascan.W001",
            )
        )
    if not settings.SITE_URL.startswith("https://"):
        warnings.append(
            checks.Warning(
                f"DERMASCAN_SITE_URL is {settings.SITE_URL}: links in e-mails lead to an unencrypted page.",
                hint="Use a URL that starts with https://.",
                id="dermascan.W002",
            )
        )
    host, _port = split_domain_port(urlsplit(settings.SITE_URL).netloc.lower())
    if not validate_host(host, settings.ALLOWED_HOSTS):
        warnings.append(
            checks.Error(
                f"Links in e-mails lead to {settings.SITE_URL}, but {host} is not in DERMASCAN_HOSTS.",
                hint="Add the host to DERMASCAN_HOSTS, or correct DERMASCAN_SITE_URL.",
                id="dermascan.E001",
            )
        )
    return warnings


@checks.register(checks.Tags.security, deploy=True)
def check_mail(**_: Any) -> list[checks.CheckMessage]:
    """Check that e-mails leave this machine, and that the sender and operator addresses are real."""
    warnings: list[checks.CheckMessage] = []
    if is_kept_here():
        warnings.append(
            checks.Warning(
                "EMAIL_URL is not set: e-mails are stored on this machine and not delivered.",
                hint="Set it to your mail server, such as smtp+tls://user:password@mail.clinic.example:587.",
                id="dermascan.W003",
            )
        )
    for name, address in (
        ("DERMASCAN_FROM_EMAIL", settings.DEFAULT_FROM_EMAIL),
        ("DERMASCAN_OPERATOR_EMAIL", settings.OPERATOR_EMAIL),
    ):
        if address.endswith("@localhost"):
            warnings.append(
                checks.Warning(
                    f"{name} is {address}: mail servers refuse it.",
                    hint="Set it to an address of your clinic.",
                    id="dermascan.W004",
                )
            )
    return warnings
