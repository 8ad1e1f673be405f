"""The client address of a request, as all rate limits and logs use it."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"
_PROXY_HEADERS = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
    "HTTP_VIA",
)


def client_address(request: HttpRequest) -> str:
    """Return the visitor's address, behind ``settings.PROXIES`` trusted proxies."""
    return address_from(request.META, proxies=settings.PROXIES)


def client_network(request: HttpRequest) -> str:
    """Return the key that limits count by: an IPv4 address, or the /64 network of an IPv6 address."""
    return network_of(client_address(request))


def came_through_a_proxy(request: HttpRequest) -> bool:
    """Return whether the request carries any proxy header, genuine or forged."""
    return any(name in request.META for name in _PROXY_HEADERS)


def is_this_machine(request: HttpRequest) -> bool:
    """Return whether the request comes directly over the loopback interface, not through a local proxy."""
    if came_through_a_proxy(request):
        return False
    peer = _parsed(str(request.META.get("REMOTE_ADDR") or ""))
    return peer is not None and ipaddress.ip_address(peer).is_loopback


def address_from(meta: Mapping[str, Any], *, proxies: int) -> str:
    """Return the client's address from a WSGI environment.

    Each proxy appends the address that it saw to X-Forwarded-For, so only the last ``proxies`` entries can be
    trusted; the visitor may have sent the others. Without proxies the header is not read.
    """
    peer = _parsed(str(meta.get("REMOTE_ADDR") or "")) or UNKNOWN
    entries = [entry for entry in str(meta.get("HTTP_X_FORWARDED_FOR") or "").split(",") if entry.strip()]
    if not proxies or not entries:
        return peer
    return _parsed(entries[-min(proxies, len(entries))]) or peer


def network_of(address: str) -> str:
    """Return ``address``, or its /64 network if it is IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


def _parsed(text: str) -> str | None:
    """Return the normalised address without port, brackets or zone; None if it is invalid."""
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
