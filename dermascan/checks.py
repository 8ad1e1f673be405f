"""What ``manage.py check --deploy`` says of an installation's own settings."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.http.request import split_domain_port, validate_host

from patients.outbox import is_kept_here


@checks.register(checks.Tags.security, deploy=True)
def check_site_url(**_: Any) -> list[checks.CheckMessage]:
    """Links in mails must lead here: the address is set on purpose, is https, and is answered."""
    found: list[checks.CheckMessage] = []
    if not settings.SITE_URL_IS_SET:
        found.append(
            checks.Warning(
                f"DERMASCAN_SITE_URL is not set: links in mails begin with {settings.SITE_URL}.",
                hint="Set it to the address that members and patients use, such as https://dermascan.clinic.example.",
                id="dermascan.W001",
            )
        )
    if not settings.SITE_URL.startswith("https://"):
        found.append(
            checks.Warning(
                f"DERMASCAN_SITE_URL is {settings.SITE_URL}: links in mails lead to an unencrypted page.",
                hint="Let it begin with https://.",
                id="dermascan.W002",
            )
        )
    host, _port = split_domain_port(urlsplit(settings.SITE_URL).netloc.lower())
    if not validate_host(host, settings.ALLOWED_HOSTS):
        found.append(
            checks.Error(
                f"Links in mails lead to {settings.SITE_URL}, but {host} is not among DERMASCAN_HOSTS.",
                hint="Add the host to DERMASCAN_HOSTS, or correct DERMASCAN_SITE_URL.",
                id="dermascan.E001",
            )
        )
    return found


@checks.register(checks.Tags.security, deploy=True)
def check_mail(**_: Any) -> list[checks.CheckMessage]:
    """Mails leave this machine, from an address and to an operator that exist."""
    found: list[checks.CheckMessage] = []
    if is_kept_here():
        found.append(
            checks.Warning(
                "EMAIL_URL is not set: mails are kept on this machine, and nobody gets them.",
                hint="Set it to your mail server, such as smtp+tls://user:password@mail.clinic.example:587.",
                id="dermascan.W003",
            )
        )
    for name, address in (
        ("DERMASCAN_FROM_EMAIL", settings.DEFAULT_FROM_EMAIL),
        ("DERMASCAN_OPERATOR_EMAIL", settings.OPERATOR_EMAIL),
    ):
        if address.endswith("@localhost"):
            found.append(
                checks.Warning(
                    f"{name} is {address}: mail servers refuse it.",
                    hint="Set it to an address of your clinic.",
                    id="dermascan.W004",
                )
            )
    return found
