"""No way inside: a customer's address must not lead into our own network.

A base URL is entered by a person, and a host name leads where its owner says, which may be another place with each
look-up. So the check is made for each connection, and the connection goes to the very address that was checked.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

import httpcore
import httpx

from enterprise_catalog.integrated_channels.deadlines import DeadlineBackend, resolve
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError

if TYPE_CHECKING:
    import ssl

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*texts: str) -> tuple[_Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


#: Every range of IANA's IPv4 special-purpose address registry (RFC 6890), whether or not it says that the range can be
#: reached from anywhere: no LMS is at any of them. With multicast, and one address that clouds add.
_SPECIAL_IPV4: Final = _networks(
    "0.0.0.0/8",  # This network.
    "10.0.0.0/8",  # Private.
    "100.64.0.0/10",  # Shared by carriers; Alibaba Cloud's metadata.
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
#: The only part of IPv6 that is assigned to networks that anybody can reach (RFC 4291). Loopback, IPv4-compatible and
#: IPv4-mapped addresses, 64:ff9b:1::/48, 100::/64, 5f00::/16, unique local, link-local, site-local and multicast
#: addresses are outside of it.
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
#: The ranges of IANA's IPv6 special-purpose address registry that are part of it.
_SPECIAL_IPV6: Final = _networks(
    "2001::/23",  # Protocol assignments, among them Teredo (2001::/32), which embeds IPv4 addresses.
    "2001:db8::/32",  # Documentation.
    "2002::/16",  # 6to4, which embeds IPv4 addresses.
    "2620:4f:8000::/48",  # AS112.
    "3fff::/20",  # Documentation.
)
#: RFC 6052: an IPv4 address in the last 32 bits, to which our network's NAT64 connects. Where a network has IPv6 only,
#: its DNS returns such an address for each host that has IPv4 only.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class DeadlineTransport(httpx.HTTPTransport):
    """Connects to any address; calls end by their deadline."""

    def __init__(self, *, verify: ssl.SSLContext) -> None:
        super().__init__(verify=verify, trust_env=False)
        # httpx has no parameter for the network. The other values are those of its own pool.
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=DeadlineBackend(),
        )


class PublicTransport(DeadlineTransport):
    """Connects to public addresses only, whatever a host name resolves to; calls end by their deadline."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to an address of its host that was checked.

        Raises:
            ConfigurationError: the host has an address that is not public.
            httpx.ConnectError: the host is not known.
        """
        host = request.url.host
        if not host or request.url.scheme not in ("http", "https"):
            return super().handle_request(request)  # It knows how to refuse.
        # The host's own name stays in the Host header, and is what the certificate has to be for.
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=public_address(host))
        return super().handle_request(request)


def public_address(host: str) -> str:
    """Return an address of ``host`` to connect to.

    Raises:
        ConfigurationError: one of its addresses is not public: a private, loopback, link-local or reserved one.
        httpx.ConnectError: the host is not known.
    """
    try:
        addresses = resolve(host)
    except OSError as error:
        raise httpx.ConnectError(f"The host {host} is not known: {error.strerror}") from error
    for address in addresses:
        if not is_public(address):
            message = f"The address {host} leads to {address}, which is not a public one; is the base URL right?"
            raise ConfigurationError(message)
    return addresses[0]


def is_public(address: str) -> bool:
    """Return True for an IP address that belongs to the public internet, and embeds no address that does not.

    Not taken from ``ipaddress.is_global``, which differs between releases of Python.
    """
    parsed = ipaddress.ip_address(address)
    if parsed in _NAT64:
        parsed = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _SPECIAL_IPV4)
    return parsed in _GLOBAL_UNICAST and not any(parsed in network for network in _SPECIAL_IPV6)
