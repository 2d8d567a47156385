"""No way inside: base URLs that lead into our own network are refused, whatever their names say."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from enterprise_catalog.integrated_channels.addresses import is_public, public_address
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RetryableError
from enterprise_catalog.integrated_channels.http import LMSClient
from enterprise_catalog.integrated_channels.models import RunState
from tests.factories import a_catalog, a_course
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle import MoodleSandbox
    from tests.integrated_channels.conftest import Clock


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),  # noqa: S104
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1"),
        # Wrapped in IPv6: mapped, 6to4, Teredo, NAT64.
        *("::ffff:10.0.0.1", "2002:0a00:0001::", "2001:0:4136:e378:8000:63bf:f5ff:fffe", "64:ff9b::a00:1"),
    ],
)
def test_addresses_of_networks_like_ours_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "193.99.144.80", "2a02:2e0:3fe:1001:302::"])
def test_addresses_that_can_be_reached_from_anywhere_are_public(address: str) -> None:
    assert is_public(address)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let look-ups give ``answers``, one after the other, the last one for ever; return the names asked for."""
    asked: list[str] = []

    def look_up(host: str, port: int | None = None, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        if port is None:  # The look-up before a connection, and not that of the address for the connection.
            asked.append(host)
        addresses = answers[min(max(len(asked), 1), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_name_with_one_address_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["8.8.8.8", "10.0.0.1"])

    with pytest.raises(ConfigurationError, match=r"lms\.test leads to 10\.0\.0\.1, which is not a public"):
        public_address("lms.test")


def test_a_name_that_is_not_known_may_be_known_later() -> None:
    with LMSClient("https://nowhere.invalid") as client, pytest.raises(RetryableError, match="is not known"):
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


def test_the_connection_goes_to_the_address_that_was_checked_under_the_hosts_own_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Loopback passes for public here: there is no other address to listen on."""
    monkeypatch.setattr("enterprise_catalog.integrated_channels.addresses.is_public", lambda _: True)
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
def test_a_run_stops_and_says_why(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    settings: Settings,
    clock: Clock,
) -> None:
    settings.LMS_PRIVATE_ADDRESSES = False
    a_catalog(a_course("A"), customer=customer)

    run = run_of(configuration, clock)

    assert run.state == RunState.STOPPED
    assert "is not a public one" in run.reason
    assert not moodle.calls
