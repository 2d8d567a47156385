"""The client's address behind trusted proxies, for throttles and logs.

Any client can send ``X-Forwarded-For``. Only the entries that our own proxies append on the right can be trusted;
``TRUSTED_PROXIES`` is the number of these proxies.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

#: The IPv6 block of one site (RFC 6177). The site's owner can use every address in it.
_IPV6_SITE_BITS: Final = 64


def client_address(request: HttpRequest | Request) -> str:
    """Return the client's IP address in its canonical form, without a port.

    With ``TRUSTED_PROXIES`` = 0, the address is ``REMOTE_ADDR``. With ``TRUSTED_PROXIES`` = n, it is the n-th entry of
    ``X-Forwarded-For`` from the right. If the header has fewer entries, or that entry is not an IP address,
    ``REMOTE_ADDR`` is used. An empty string means that the server has no client address (a Unix socket).
    """
    direct: str = request.META.get("REMOTE_ADDR", "")
    count: int = settings.TRUSTED_PROXIES
    entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    forwarded = _parsed(entries[-count]) if 0 < count <= len(entries) else None
    return str(forwarded or _parsed(direct) or direct)


def client_network(request: HttpRequest | Request) -> str:
    """Return the key that throttles count by: the client's IPv4 address, or the /64 network of its IPv6 address."""
    address = client_address(request)
    if isinstance(_parsed(address), IPv6Address):
        return str(ip_network(f"{address}/{_IPV6_SITE_BITS}", strict=False))
    return address


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address in ``text``, without a port; an IPv4-mapped IPv6 address becomes IPv4; ``None`` if invalid."""
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
