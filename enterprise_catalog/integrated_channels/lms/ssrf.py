"""SSRF protection: refuse base URLs that resolve to private addresses.

A person enters the base URL, and DNS may return a different address at each look-up. Each connection therefore checks
the addresses of its host, and then connects to an address that was checked.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

import httpcore
import httpx

from enterprise_catalog.integrated_channels.exceptions import ConfigurationError
from enterprise_catalog.integrated_channels.lms.deadlines import DeadlineBackend, resolve

if TYPE_CHECKING:
    import ssl

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*texts: str) -> tuple[_Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


#: Every range of IANA's IPv4 special-purpose address registry (RFC 6890), including ranges that are globally reachable:
#: no LMS uses any of them. Also multicast, and one address that Azure uses.
_SPECIAL_IPV4: Final = _networks(
    "0.0.0.0/8",  # This network.
    "10.0.0.0/8",  # Private.
    "100.64.0.0/10",  # Carrier-grade NAT; Alibaba Cloud's metadata.
    "127.0.0.0/8",  # Loopback.
    "168.63.129.16/32",  # Azure's WireServer, inside every virtual machine; not in the registry.
    "169.254.0.0/16",  # Link-local; most clouds' metadata.
    "172.16.0.0/12",  # Private.
    "192.0.0.0/24",  # Protocol assignments; Oracle Cloud's metadata.
    "192.0.2.0/24",  # Documentation.
    "192.31.196.0/24",  # AS112.
    "192.52.193.0/24",  # AMT.
    "192.88.99.0/24",  # Relays of 6to4, which is deprecated.
    "192.168.0.0/16",  # Private.
    "192.175.48.0/24",  # AS112.
    "198.18.0.0/15",  # Benchmarks.
    "198.51.100.0/24",  # Documentation.
    "203.0.113.0/24",  # Documentation.
    "224.0.0.0/4",  # Multicast.
    "240.0.0.0/4",  # Reserved; broadcast.
)
#: The only part of IPv6 that is assigned to globally reachable networks (RFC 4291). Outside of it are loopback,
#: IPv4-compatible and IPv4-mapped addresses, 64:ff9b:1::/48, 100::/64, 5f00::/16, and unique local, link-local,
#: site-local and multicast addresses.
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
#: Ranges of IANA's IPv6 special-purpose address registry within 2000::/3.
_SPECIAL_IPV6: Final = _networks(
    "2001::/23",  # Protocol assignments, among them Teredo (2001::/32), which embeds IPv4 addresses.
    "2001:db8::/32",  # Documentation.
    "2002::/16",  # 6to4, which embeds IPv4 addresses.
    "2620:4f:8000::/48",  # AS112.
    "3fff::/20",  # Documentation.
)
#: RFC 6052: an IPv4 address in the last 32 bits, to which the network's NAT64 connects. In a network with IPv6 only,
#: DNS returns such an address for each host that has IPv4 only.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class DeadlineTransport(httpx.HTTPTransport):
    """Connects to any address; enforces the deadline of each call."""

    def __init__(self, *, verify: ssl.SSLContext) -> None:
        super().__init__(verify=verify, trust_env=False)
        # httpx has no parameter for the network backend. The other values are httpx's defaults.
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=DeadlineBackend(),
        )


class PublicTransport(DeadlineTransport):
    """Connects to public addresses only; enforces the deadline of each call."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to a checked address of its host.

        Raises:
            ConfigurationError: the host has an address that is not public.
            httpx.ConnectError: the host name does not resolve.
        """
        host = request.url.host
        if not host or request.url.scheme not in ("http", "https"):
            return super().handle_request(request)  # httpx raises the error.
        # The Host header keeps the host name, and the certificate must be valid for that name.
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=public_address(host))
        return super().handle_request(request)


def public_address(host: str) -> str:
    """Return an address of ``host`` to connect to.

    Raises:
        ConfigurationError: one of its addresses is not public (private, loopback, link-local or reserved).
        httpx.ConnectError: the host name does not resolve.
    """
    try:
        addresses = resolve(host)
    except OSError as error:
        raise httpx.ConnectError(f"The host name {host} could not be resolved: {error.strerror}") from error
    for address in addresses:
        if not is_public(address):
            message = f"{host} resolves to {address}, which is not a public address. Check the base URL."
            raise ConfigurationError(message)
    return addresses[0]


def is_public(address: str) -> bool:
    """Return True if an IP address belongs to the public internet and embeds no address that does not.

    Does not use ``ipaddress.is_global``: its result differs between releases of Python.
    """
    parsed = ipaddress.ip_address(address)
    if parsed in _NAT64:
        parsed = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _SPECIAL_IPV4)
    return parsed in _GLOBAL_UNICAST and not any(parsed in network for network in _SPECIAL_IPV6)
