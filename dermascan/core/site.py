"""Where the installation is reached. What leaves a page begins with the settings' address, never the request's host.

A visitor can send any host; a mail that quoted it would lead its reader to whoever forged it.
"""

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings


def site_link(path: str) -> str:
    """Return ``path`` as an address that works anywhere: ``https://dermascan.clinic.example/visits/``."""
    return f"{settings.SITE_URL}{path}"


def at_this_site(address: str) -> str:
    """Return the same page of ``address``, whichever host that names, at the site's own address."""
    parts = urlsplit(address)
    return site_link(urlunsplit(("", "", parts.path, parts.query, parts.fragment)))


def origin_of(address: str) -> str:
    """Return ``https://host[:port]`` of an address of a whole site. Raises ``ValueError`` for anything else.

    A host without a dot is one: hospitals have them on their own network.
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
