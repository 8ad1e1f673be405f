"""Where a request comes from. Every limit and every log line asks here, so that one setting decides for all."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"
_OF_A_PROXY = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
    "HTTP_VIA",
)


def client_address(request: HttpRequest) -> str:
    """Return the visitor's address, with as many proxies taken off as ``settings.PROXIES`` says."""
    return address_from(request.META, proxies=settings.PROXIES)


def client_network(request: HttpRequest) -> str:
    """Return what limits count by: an IPv4 address, or the /64 that one IPv6 line is given."""
    return network_of(client_address(request))


def came_through_a_proxy(request: HttpRequest) -> bool:
    """Return whether anything stands between the visitor and this server, or says that it does."""
    return any(name in request.META for name in _OF_A_PROXY)


def is_this_machine(request: HttpRequest) -> bool:
    """Return whether a program of this machine asks by itself: over the loopback, and not through a proxy on it."""
    if came_through_a_proxy(request):
        return False
    peer = _parsed(str(request.META.get("REMOTE_ADDR") or ""))
    return peer is not None and ipaddress.ip_address(peer).is_loopback


def address_from(meta: Mapping[str, Any], *, proxies: int) -> str:
    """Return the client's address of a WSGI environment.

    Each proxy appends the address that it saw to X-Forwarded-For, so only the last ``proxies`` entries are true;
    whatever stands before them was sent by the visitor. Without proxies the header is not read.
    """
    peer = _parsed(str(meta.get("REMOTE_ADDR") or "")) or UNKNOWN
    entries = [entry for entry in str(meta.get("HTTP_X_FORWARDED_FOR") or "").split(",") if entry.strip()]
    if not proxies or not entries:
        return peer
    return _parsed(entries[-min(proxies, len(entries))]) or peer


def network_of(address: str) -> str:
    """Return ``address``, or its /64 if it is of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


def _parsed(text: str) -> str | None:
    """Return the address in one spelling, without port, brackets or zone; None if it is none."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
