"""SSRF protection: base URLs that resolve to non-public addresses are rejected."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RetryableError
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from enterprise_catalog.integrated_channels.lms.ssrf import is_public, public_address
from enterprise_catalog.integrated_channels.models import RunState
from tests.factories.catalog import CatalogFactory
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock


NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
#: IANA's IPv4 special-purpose address registry, with multicast and Azure's additional address.
SPECIAL_IPV4: Final = (
    *("0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/31"),
    *("192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.88.99.2/32", "192.168.0.0/16"),
    *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32"),
    *("224.0.0.0/4", "168.63.129.16/32"),
)
#: IANA's IPv6 special-purpose address registry, with multicast, deprecated and reserved ranges.
SPECIAL_IPV6: Final = (
    *("::/128", "::1/128", "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64"),
    *("2001::/23", "2001::/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32"),
    *("2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16"),
    *("2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    *("::/8", "100::/8", "200::/7", "400::/6", "800::/5", "1000::/4", "4000::/3", "6000::/3", "8000::/3", "a000::/3"),
    *("c000::/3", "e000::/4", "f000::/5", "f800::/6", "fe00::/9"),
)


def within(range_: str) -> list[str]:
    """Return the first and last addresses of a range, and an address in the middle."""
    network = ipaddress.ip_network(range_)
    size = network.num_addresses
    numbers = {0, min(1, size - 1), size // 2, max(size - 2, 0), size - 1}
    return [str(network[number]) for number in sorted(numbers)]


@pytest.mark.parametrize("range_", [*SPECIAL_IPV4, *SPECIAL_IPV6])
def test_special_purpose_addresses_are_not_public(range_: str) -> None:
    addresses = [address for address in within(range_) if ipaddress.ip_address(address) not in NAT64]

    assert [address for address in addresses if is_public(address)] == []


@pytest.mark.parametrize("range_", SPECIAL_IPV4)
@pytest.mark.parametrize("form", ["::ffff:{}", "::{}", "64:ff9b::{}", "64:ff9b:1::{}", "2002:{}::", "2001::{}"])
def test_an_ipv6_address_that_embeds_a_special_one_is_not_public(range_: str, form: str) -> None:
    for address in map(ipaddress.IPv4Address, within(range_)):
        embedded = address.exploded
        if "2001" in form:  # Teredo inverts the client's address.
            embedded = str(ipaddress.IPv4Address(int(address) ^ 0xFFFFFFFF))
        elif "2002" in form:
            embedded = f"{int(address) >> 16:x}:{int(address) & 0xFFFF:x}"

        assert not is_public(form.format(embedded)), form.format(embedded)


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254"),
        *("fd20:ce::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b::168.63.129.16"),
    ],
)
def test_metadata_services_of_clouds_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "193.99.144.80", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"),
        *("168.63.129.15", "168.63.129.17", "172.15.255.255", "172.32.0.0", "192.88.98.255", "198.20.0.0"),
        *("223.255.255.255", "2a02:2e0:3fe:1001:302::", "2001:200::1", "2001:4860:4860::8888", "2606:4700::1"),
        "64:ff9b::8.8.8.8",  # An IPv4-only LMS, seen from our IPv6-only network.
    ],
)
def test_addresses_that_can_be_reached_from_anywhere_are_public(address: str) -> None:
    assert is_public(address)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Make look-ups return ``answers`` in order, and repeat the last answer. Return the list of requested names."""
    asked: list[str] = []

    def look_up(host: str, port: int | None = None, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        if port is None:  # The look-up before a connection, not the resolution for the connection itself.
            asked.append(host)
        addresses = answers[min(max(len(asked), 1), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_name_with_one_address_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["8.8.8.8", "10.0.0.1"])

    with pytest.raises(ConfigurationError, match=r"lms\.test resolves to 10\.0\.0\.1, which is not a public"):
        public_address("lms.test")


def test_a_name_that_is_not_known_may_be_known_later() -> None:
    with LMSClient("https://nowhere.invalid") as client, pytest.raises(RetryableError, match="could not be resolved"):
        client.send("GET", "/")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
def test_loopback_is_refused_however_it_is_spelt(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with LMSClient(f"http://{host}:{port}") as client, pytest.raises(ConfigurationError):
            client.send("GET", "/")


def test_a_name_that_leads_elsewhere_with_the_next_look_up_is_refused_then(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])

    assert public_address("lms.test") == "8.8.8.8"
    with LMSClient("http://lms.test") as client, pytest.raises(ConfigurationError):
        client.send("GET", "/")
    assert asked == ["lms.test", "lms.test"]


def test_the_connection_uses_the_checked_address_with_the_hosts_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Loopback counts as public in this test: there is no other address to listen on."""
    monkeypatch.setattr("enterprise_catalog.integrated_channels.lms.ssrf.is_public", lambda _: True)
    received = bytearray()

    def answer(server: socket.socket) -> None:
        server.settimeout(10)
        connection, _ = server.accept()
        with connection:
            received.extend(connection.recv(65_536))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        resolving(monkeypatch, ["127.0.0.1"])
        with LMSClient(f"http://lms.test:{port}") as client:
            assert client.send("GET", "/courses").json() == []
        thread.join()

    assert f"Host: lms.test:{port}".encode() in received


def test_redirects_lead_nowhere() -> None:
    def redirect(_: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "http://169.254.169.254/latest"})

    with (
        LMSClient("https://lms.test", transport=httpx.MockTransport(redirect)) as client,
        pytest.raises(ConfigurationError, match=r"redirects to http://169\.254\.169\.254"),
    ):
        client.send("GET", "/")


def test_a_proxy_from_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    with LMSClient("http://127.0.0.1:1") as client, pytest.raises(ConfigurationError):
        client.send("GET", "/")


@pytest.mark.django_db(transaction=True)
def test_a_run_stops_with_a_reason(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    settings: Settings,
    clock: Clock,
) -> None:
    settings.LMS_PRIVATE_ADDRESSES = False
    CatalogFactory.create(content=["A"], customer=customer)

    run = run_of(configuration, clock)

    assert run.state == RunState.STOPPED
    assert "is not a public address" in run.reason
    assert not moodle.calls
