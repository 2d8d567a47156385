"""No secret appears in any output, even if an LMS or the catalog service repeats the secret.

Each channel goes through a series of failures: wrong credentials, responses that repeat the request's secrets, broken
connections, and crashes of the program. Then all output is searched for each of the channel's secrets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from enterprise_catalog.integrated_channels.channels.base import PullChannel
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from tests.factories.catalog import CatalogFactory
from tests.integrated_channels.loopback_server import on_loopback
from tests.integrated_channels.pages import CONFIGURATIONS, filled_in
from tests.integrated_channels.resilience.catalog_proxy import CatalogProxy
from tests.integrated_channels.secrecy.accesses import ACCESSES, Access
from tests.integrated_channels.secrecy.echoing_proxy import ECHOED, EchoingProxy
from tests.integrated_channels.secrecy.encodings import ENCODINGS, leaks
from tests.integrated_channels.secrecy.failure_sequence import CRASHED, NAMED, FailureSequence
from tests.integrated_channels.secrecy.log_capture import captured_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.test import Client
    from pytest_django import Settings
    from pytest_django.live_server_helper import LiveServer
    from rest_framework.test import APIClient

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from tests.integrated_channels.conftest import Clock

    Output = Mapping[str, str]  # Keyed by place.
    CollectOutput = Callable[[Access, EchoingProxy, str], Output]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]

#: Place -> words that must occur there. They take the path that a secret would take, and show that the search works.
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "logs": (ECHOED, CRASHED),
    "output of commands": (ECHOED, NAMED),
    "results of tasks": (CRASHED,),
    "rows of SyncRun": (ECHOED,),
    "rows of TransmissionAttempt": (ECHOED,),
    "rows of ContentMetadataItemTransmission": (NAMED,),
    "stored payloads": (NAMED,),
    "admin, lists": (ECHOED, NAMED),
    "admin, details": (NAMED,),
    "admin, forms": (NAMED,),
    "answers of the API": (ECHOED, NAMED),
    "error reports": (CRASHED,),
    "error pages": (CRASHED,),
}
BROKER_PASSWORD: Final = "the-password-of-the-broker"


@pytest.fixture
def collect_output(
    customer: EnterpriseCustomer,
    clock: Clock,
    admin_client: Client,
    operator: APIClient,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> CollectOutput:
    """Return a function that goes through all failures and returns all output, by place."""

    def collect(access: Access, proxy: EchoingProxy, url: str) -> Output:
        settings.ADMINS = [("Operator", "operator@example.org")]
        settings.CELERY_BROKER_URL = f"redis://worker:{BROKER_PASSWORD}@queue.example.org"
        proxy.secrets |= {settings.SECRET_KEY, settings.OAUTH2_CLIENT_SECRET, BROKER_PASSWORD}
        proxy.secrets |= {*settings.CREDENTIALS_ENCRYPTION_KEYS}
        sequence = FailureSequence(
            access=access,
            proxy=proxy,
            url=url,
            catalog=CatalogFactory.create(customer=customer),
            clock=clock,
            client=admin_client,
            operator=operator,
            settings=settings,
            capsys=capsys,
            monkeypatch=monkeypatch,
        )
        with captured_logs() as logged:
            sequence.go_through()
        sequence.look_around()
        return {place: "\n".join(dict.fromkeys(texts)) for place, texts in {**sequence.output, "logs": logged}.items()}

    return collect


def leaks_by_place(output: Output, proxy: EchoingProxy) -> dict[str, list[str]]:
    return {place: found for place, text in output.items() if (found := leaks(text, proxy.secrets)[:3])}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "CANVAS" else pytest.mark.slow) for name in ACCESSES]
)
def test_no_output_contains_a_secret_of_a_channel(name: str, collect_output: CollectOutput) -> None:
    access = ACCESSES[name]()
    proxy = EchoingProxy(access.sandbox)

    with on_loopback(proxy) as url:
        output = collect_output(access, proxy, url)

    assert leaks_by_place(output, proxy) == {}
    is_called = not issubclass(CHANNELS[access.code], PullChannel)
    expected = {(place, word) for place, words in WORDS.items() for word in words if is_called or word != ECHOED}
    assert {(place, word) for place, word in expected if not leaks(output[place], [word])} == set()
    assert bool(access.sandbox.offered()) is is_called


def test_no_output_contains_our_secrets_if_the_catalog_repeats_them(
    catalog_service: LiveServer, settings: Settings, collect_output: CollectOutput
) -> None:
    access = ACCESSES["MOODLE"]()
    proxy = EchoingProxy(CatalogProxy(service_url=catalog_service.url))

    with on_loopback(proxy) as catalog_url, on_loopback(access.sandbox) as url:
        settings.CATALOG_API_URL, settings.OAUTH2_PROVIDER_URL = catalog_url, f"{catalog_url}/oauth2"
        output = collect_output(access, proxy, url)

    assert leaks_by_place(output, proxy) == {}
    assert all(leaks(output[place], [ECHOED]) for place in ("logs", "rows of SyncRun", "admin, lists"))


def test_no_secret_is_logged_by_the_template_of_a_form_that_is_wrong(admin_client: Client) -> None:
    entered = filled_in(display_name=NAMED, base_url="nowhere", credentials={"token": "a token"})

    with captured_logs(templates=True) as logged:
        admin_client.post(f"{CONFIGURATIONS}add/", entered)

    assert leaks("".join(logged), [NAMED])
    assert leaks("".join(logged), ["a token"]) == []


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_secret_is_found_however_it_is_spelt(encoding: str) -> None:
    secret = 'a "secret"/of <ä>+&\\ours'

    assert leaks(f"before {ENCODINGS[encoding](secret)} after", [secret])
    assert leaks("before a 'secret' of ours after", [secret]) == []
