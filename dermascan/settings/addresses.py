"""Where the site is reached, from the environment: see dermascan/core/site.py."""

from collections.abc import Iterable

from django.core.exceptions import ImproperlyConfigured
from environ import Env

from dermascan.core.site import origin_of

# Addresses that a server listens on, and nobody can be sent to.
_WILDCARDS = {"0.0.0.0", "::", "[::]", ""}  # noqa: S104
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]", "::1"}


def site_url(env: Env, *, default: str = "") -> str:
    """Return DERMASCAN_SITE_URL without a slash at its end. Raises ImproperlyConfigured, in words, if it is none."""
    address = env.str("DERMASCAN_SITE_URL", default="") or default
    try:
        return origin_of(address)
    except ValueError:
        raise ImproperlyConfigured(
            f"DERMASCAN_SITE_URL is {repr(address) if address else 'not set'}. It must be the address of the site, "
            "such as https://clinic.example: links in mails begin with it."
        ) from None


def local_url(env: Env) -> str:
    """Return where the embedded server is reached from this machine."""
    host, port = env.str("HOST", default="127.0.0.1"), env.str("PORT", default="8000")
    host = "127.0.0.1" if host in _WILDCARDS else host
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    # An invalid port is reported by the server that is to listen on it.
    return f"http://{host}:{port}" if port.isdecimal() and 1 <= int(port) <= 65535 else f"http://{host}"


def public_url(hosts: Iterable[str]) -> str:
    """Return the address of the first host name that people can be sent to; "" if there is none."""
    for host in hosts:
        if host not in _LOOPBACK and not host.startswith((".", "*")):
            return f"https://{host}"
    return ""


def site_name(env: Env) -> str:
    """Return DERMASCAN_SITE_NAME. Raises ImproperlyConfigured, in words, for what cannot stand in a mail's subject."""
    name = env.str("DERMASCAN_SITE_NAME", default="DermaScan").strip()
    if not name or not name.isprintable() or len(name) > 60:
        raise ImproperlyConfigured(f"DERMASCAN_SITE_NAME is {name!r}. It must be one line of at most 60 characters.")
    return name
