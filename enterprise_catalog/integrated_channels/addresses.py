"""No way inside: a customer's address must not lead into our own network.

A base URL is entered by a person, and a host name leads where its owner says, which may be another place with each
look-up. So the check is made for each connection, and the connection goes to the very address that was checked.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Final

import httpx

from enterprise_catalog.integrated_channels.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: RFC 6052: an IPv4 address in the last 32 bits, to which a NAT64 of ours would connect.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class PublicTransport(httpx.HTTPTransport):
    """Connects to public addresses only, whatever a host name resolves to."""

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
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpx.ConnectError(f"The host {host} is not known: {error.strerror}") from error
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    for address in addresses:
        if not is_public(address):
            message = f"The address {host} leads to {address}, which is not a public one; is the base URL right?"
            raise ConfigurationError(message)
    return addresses[0]


def is_public(address: str) -> bool:
    """Return whether an IP address, and every one that is wrapped in it, can be reached from anywhere."""
    return all(each.is_global and not each.is_multicast for each in _unwrapped(ipaddress.ip_address(address)))


def _unwrapped(address: _Address) -> Iterator[_Address]:
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            wrapped.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        yield from (each for each in wrapped if each is not None)
