"""The site's own address. Links in e-mails and files start with ``SITE_URL``, never with the request's host.

A visitor can send any Host header; an e-mail that used it would lead its reader to a forged site.
"""

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings


def site_link(path: str) -> str:
    """Return the absolute URL of ``path``, such as ``https://dermascan.clinic.example/visits/``."""
    return f"{settings.SITE_URL}{path}"


def at_this_site(address: str) -> str:
    """Return ``address`` with its scheme and host replaced by the site's own."""
    parts = urlsplit(address)
    return site_link(urlunsplit(("", "", parts.path, parts.query, parts.fragment)))


def origin_of(address: str) -> str:
    """Return the origin, ``https://host[:port]``, of a site's address. Raises ``ValueError`` for anything else.

    Hosts without a dot are accepted: hospitals use them on their own networks.
    """
    parts = urlsplit(address)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or not address.isprintable()
        or set(address) & set(" \"'<>\\")
        or parts.username is not None
        or parts.path not in {"", "/"}
        or parts.query
        or parts.fragment
    ):
        raise ValueError(address)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
