"""The site's address and name, from the environment; see dermascan/core/site.py."""

from collections.abc import Iterable

from django.core.exceptions import ImproperlyConfigured
from environ import Env

from dermascan.core.site import origin_of

# Addresses that a server can listen on but that links cannot use.
_WILDCARDS = {"0.0.0.0", "::", "[::]", ""}  # noqa: S104
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]", "::1"}


def site_url(env: Env, *, default: str = "") -> str:
    """Return DERMASCAN_SITE_URL without a trailing slash. Raises ImproperlyConfigured if it is invalid."""
    address = env.str("DERMASCAN_SITE_URL", default="") or default
    try:
        return origin_of(address)
    except ValueError:
        raise ImproperlyConfigured(
            f"DERMASCAN_SITE_URL is {repr(address) if address else 'not set'}. It must be the address of the site, "
            "such as https://clinic.example: links in e-mails start with it."
        ) from None


def local_url(env: Env) -> str:
    """Return the URL of the embedded server on this machine."""
    host, port = env.str("HOST", default="127.0.0.1"), env.str("PORT", default="8000")
    host = "127.0.0.1" if host in _WILDCARDS else host
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    # The server reports an invalid port.
    return f"http://{host}:{port}" if port.isdecimal() and 1 <= int(port) <= 65535 else f"http://{host}"


def public_url(hosts: Iterable[str]) -> str:
    """Return the URL of the first host name that links can use, or ""."""
    for host in hosts:
        if host not in _LOOPBACK and not host.startswith((".", "*")):
            return f"https://{host}"
    return ""


def site_name(env: Env) -> str:
    """Return DERMASCAN_SITE_NAME. Raises ImproperlyConfigured for a name that cannot be in an e-mail's subject."""
    name = env.str("DERMASCAN_SITE_NAME", default="DermaScan").strip()
    if not name or not name.isprintable() or len(name) > 60:
        raise ImproperlyConfigured(f"DERMASCAN_SITE_NAME is {name!r}. It must be one line of at most 60 characters.")
    return name
