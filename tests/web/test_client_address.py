"""The client's IP address behind proxies: only entries from trusted proxies count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import RequestFactory

from enterprise_catalog.web.client_address import client_address, client_network

if TYPE_CHECKING:
    from django.http import HttpRequest
    from pytest_django import Settings


def request_from(remote: str, forwarded: str | None = None) -> HttpRequest:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote)


@pytest.mark.parametrize("forwarded", [None, "", "1.1.1.1", "1.1.1.1, 2.2.2.2", "::1"])
def test_the_header_is_ignored_without_trusted_proxies(forwarded: str | None) -> None:
    assert client_address(request_from("203.0.113.9", forwarded)) == "203.0.113.9"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        (1, "6.6.6.6,198.51.100.7", "198.51.100.7"),
        (2, "6.6.6.6, 198.51.100.7, 192.0.2.1", "198.51.100.7"),
        (2, "198.51.100.7, 192.0.2.1", "198.51.100.7"),
        (1, "198.51.100.7:50123", "198.51.100.7"),
        (1, "[2001:DB8::0:1]:50123", "2001:db8::1"),
        (1, "2001:DB8:0:0::1", "2001:db8::1"),
        (1, "::ffff:198.51.100.7", "198.51.100.7"),
    ],
)
def test_the_entry_of_the_outermost_trusted_proxy_counts(
    settings: Settings, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies

    assert client_address(request_from("10.0.0.1", forwarded)) == address


@pytest.mark.parametrize("forwarded", [None, "", "198.51.100.7", "unknown, 192.0.2.1", "_secret, 192.0.2.1", ",,"])
def test_a_header_that_names_no_client_leaves_the_remote_address(settings: Settings, forwarded: str | None) -> None:
    settings.TRUSTED_PROXIES = 2

    assert client_address(request_from("10.0.0.1", forwarded)) == "10.0.0.1"


@pytest.mark.parametrize(
    ("remote", "address"),
    [("2001:DB8:0::1", "2001:db8::1"), ("fe80::1%eth0", "fe80::1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("", "")],
)
def test_the_remote_address_is_normalized(remote: str, address: str) -> None:
    assert client_address(request_from(remote)) == address


@pytest.mark.parametrize(
    ("remote", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("", ""),
    ],
)
def test_throttles_count_by_address_or_by_an_ipv6_network(remote: str, network: str) -> None:
    assert client_network(request_from(remote)) == network
