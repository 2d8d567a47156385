"""The address of a client behind proxies that are trusted, for throttles and logs.

Any client can send ``X-Forwarded-For``. Only the entries that our own proxies append at its right end are evidence;
``TRUSTED_PROXIES`` is their number.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

#: The IPv6 block of one site (RFC 6177); its owner can use any of its addresses.
_IPV6_SITE_BITS: Final = 64


def client_address(request: HttpRequest | Request) -> str:
    """Return the client's IP address in its canonical form, without a port.

    The address is ``REMOTE_ADDR`` if ``TRUSTED_PROXIES`` is 0. Otherwise it is the entry of ``X-Forwarded-For`` that
    many from the right, or ``REMOTE_ADDR`` if the header has fewer entries or that entry is not an IP address. An empty
    text means that the server knows no address (a Unix socket).
    """
    direct: str = request.META.get("REMOTE_ADDR", "")
    count: int = settings.TRUSTED_PROXIES
    entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    forwarded = _parsed(entries[-count]) if 0 < count <= len(entries) else None
    return str(forwarded or _parsed(direct) or direct)


def client_network(request: HttpRequest | Request) -> str:
    """Return what throttles count by: the client's IPv4 address, or the /64 network of its IPv6 address."""
    address = client_address(request)
    if isinstance(_parsed(address), IPv6Address):
        return str(ip_network(f"{address}/{_IPV6_SITE_BITS}", strict=False))
    return address


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address in ``text``, which may carry a port; IPv4 inside IPv6 is IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
