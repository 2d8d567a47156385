"""A sequence of failures of one configuration, and all output that they produce."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from django.apps import apps
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.urls import reverse

from enterprise_catalog.integrated_channels.access.credentials import encrypt
from enterprise_catalog.integrated_channels.channels.base import ConsentingChannel, PullChannel
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, TransmissionPayload
from enterprise_catalog.integrated_channels.models.payloads import unpack
from enterprise_catalog.integrated_channels.tasks import sync_configuration
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.admin_pages.list_actions import run
from tests.factories.catalog import CourseFactory, import_into
from tests.integrated_channels.api.endpoints import ATTEMPTS as ATTEMPTS_API
from tests.integrated_channels.api.endpoints import CONFIGURATIONS as CONFIGURATIONS_API
from tests.integrated_channels.api.endpoints import DECISIONS
from tests.integrated_channels.api.endpoints import RUNS as RUNS_API
from tests.integrated_channels.api.endpoints import TRANSMISSIONS as TRANSMISSIONS_API
from tests.integrated_channels.pages import ATTEMPTS, CONFIGURATIONS, RUNS, TRANSMISSIONS, filled_in
from tests.integrated_channels.secrecy.echoing_proxy import ErrorResponse
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from django.test import Client
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from enterprise_catalog.catalog.models import EnterpriseCatalog
    from tests.integrated_channels.conftest import Clock
    from tests.integrated_channels.secrecy.accesses import Access
    from tests.integrated_channels.secrecy.echoing_proxy import EchoingProxy

CRASHED: Final = "the-program-crashed"  #: Message of simulated crashes.
NAMED: Final = "the-name-of-it"  #: Part of course titles, and the configuration's name.
CODE: Final = "the/code+of a consent"  #: The authorization code of the LMS.

_ERROR_RESPONSES: Final = [
    *(ErrorResponse(status, is_json=True, skip=skip) for status in (400, 401, 403, 404, 429, 500) for skip in (0, 1)),
    *(ErrorResponse(status, skip=skip) for status in (200, 302) for skip in (0, 1)),
]
_BREAKS: Final = [
    Fault(kind=FaultKind.DROP),
    *(Fault(kind=kind, skip=1) for kind in (FaultKind.REFUSE, FaultKind.TRUNCATE)),
]
_FEEDS: Final = "enterprise_catalog.integrated_channels.feed.logins"


@dataclass(kw_only=True)
class FailureSequence:
    """One customer's connection to an LMS. ``output`` collects all output, by place."""

    access: Access
    proxy: EchoingProxy  #: In front of the LMS.
    url: str  #: Address of ``proxy``.
    catalog: EnterpriseCatalog
    clock: Clock
    client: Client  #: Logged in as an administrator.
    operator: APIClient  #: Reads the catalog.
    settings: Settings
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    output: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _numbers: Iterator[int] = field(default_factory=count)

    def go_through(self) -> None:
        """Go through all failures."""
        self.client.raise_request_exception = False
        self._enter_wrong_credentials()
        self._enter_right_credentials()
        self._sync()
        for error_response in _ERROR_RESPONSES:
            self._meet(error_response)
        for fault in _BREAKS:
            self.access.sandbox.faults.set([fault])
            self._sync()
        self.access.sandbox.faults.clear()
        self._crash_at_work()
        self._crash_in_requests()
        self.proxy.respond_with(ErrorResponse(500, skip=1))
        self._sync()
        self._command("sync_channels")

    @property
    def _configuration(self) -> ChannelConfiguration:
        return ChannelConfiguration.objects.get()

    @property
    def _channel_class(self) -> Any:
        return CHANNELS[self.access.code]

    # --- failures -----------------------------------------------------------------------------------------------------

    def _enter_wrong_credentials(self) -> None:
        wrong = self.access.wrong_secrets()
        self.proxy.secrets.update(wrong.values())
        options = {
            "--channel": self.access.code,
            "--customer-uuid": str(self.catalog.enterprise_customer_id),
            "--base-url": self.url,
            "--settings": json.dumps(self.access.settings),
            "--credentials": json.dumps({**self.access.credentials(), **wrong}),
        }
        self._command("create_channel", *(part for pair in options.items() for part in pair))
        self._command("sync_channels")
        self._command("test_channel", "--configuration", str(self._configuration.pk))

    def _enter_right_credentials(self) -> None:
        """Submit the admin form twice, the first time with an error in another field, which displays the form again."""
        entered = filled_in(
            display_name=NAMED,
            enterprise_customer_uuid=str(self.catalog.enterprise_customer_id),
            base_url=self.url,
            channel_code=self.access.code,
            settings=self.access.settings,
            credentials=self.access.credentials(),
        )
        address = f"{CONFIGURATIONS}{self._configuration.pk}/change/"
        self._request("admin, forms", address, {**entered, "base_url": "nowhere"})
        self._request("admin, forms", address, entered)

    def _sync(self) -> None:
        self.clock.forward(days=1)
        self._prepare()
        run_of(self._configuration, self.clock)

    def _prepare(self) -> None:
        """Ensure valid credentials, an empty cache without tokens, and items to create and to update."""
        number = next(self._numbers)
        self.proxy.secrets.update(self.access.secrets().values())
        ChannelConfiguration.objects.update(credentials=encrypt(dict(self.access.credentials())))
        courses = [
            CourseFactory.build(key=key, title=f"{NAMED} {number}") for key in ("Northwind+A", f"Northwind+New{number}")
        ]
        import_into(self.catalog, courses, now=self.clock.now, replace=True)
        cache.clear()

    def _meet(self, error_response: ErrorResponse) -> None:
        self.proxy.respond_with(error_response)
        self._sync()
        if not error_response.skip:
            self._command("test_channel", "--configuration", str(self._configuration.pk))
        self.proxy.respond_with(None)

    def _crash_at_work(self) -> None:
        """Crash during translation, then during the first request, then during the second request."""
        with self.monkeypatch.context() as patch:
            patch.setattr(self._channel_class, "transform", _crash)
            self._sync_from_outside()
        for calls in range(2):
            with self.monkeypatch.context() as patch:
                _cut_the_wire(patch, after=calls)
                self._sync_from_outside()

    def _crash_in_requests(self) -> None:
        """Crash during a connection check, during a consent, and while a polling LMS requests the feed."""
        for is_debugged in (False, True):
            self.settings.DEBUG = is_debugged
            with self.monkeypatch.context() as patch:
                _cut_the_wire(patch, after=0)
                self._check_connection()
            if issubclass(self._channel_class, ConsentingChannel):
                self._crash_during_consent()
            if issubclass(self._channel_class, PullChannel):
                with self.monkeypatch.context() as patch:
                    patch.setattr(f"{_FEEDS}._has_credentials", _crash)
                    self._request_feed("error pages")
        self.settings.DEBUG = False

    def _crash_during_consent(self) -> None:
        self.proxy.secrets.add(CODE)
        place = self.client.get(reverse("channel-consent", args=[self._configuration.pk])).headers["location"]
        [state] = parse_qs(urlsplit(place).query)["state"]
        with self.monkeypatch.context() as patch:
            _cut_the_wire(patch, after=0)
            answer = urlencode({"code": CODE, "state": state})
            self._request("error pages", f"{reverse('channel-consent-complete')}?{answer}")

    # --- output -------------------------------------------------------------------------------------------------------

    def look_around(self) -> None:
        """Read all rows, admin pages, API responses and error reports."""
        for model in apps.get_app_config("integrated_channels").get_models():
            self.output[f"rows of {model.__name__}"] += [repr(row) for row in model._default_manager.values_list()]
        for stored in TransmissionPayload.objects.all():
            packed = (each for each in (stored.sent, stored.accepted) if each is not None)
            self.output["stored payloads"] += [json.dumps(unpack(each), ensure_ascii=False) for each in packed]
        for address in (RUNS, TRANSMISSIONS, ATTEMPTS, CONFIGURATIONS):
            self._request("admin, lists", address)
            for pk in _newest(address, 2):
                self._request("admin, details", f"{address}{pk}/change/")
        if issubclass(self._channel_class, PullChannel):
            self._request_feed("answers of the API")
        content = self.operator.get(f"/api/v1/enterprise-catalogs/{self.catalog.pk}/content-metadata/")
        self.output["answers of the API"].append(content.content.decode())
        for address in _api_addresses(self._configuration):
            self.output["answers of the API"].append(self.operator.get(address).content.decode())
        for address in ("/health/", "/metrics"):
            self._request("answers of the API", address)
        self.output["error reports"] += [str(message.message()) for message in mail.outbox]

    def _command(self, name: str, *arguments: str) -> None:
        with suppress(SystemExit):
            call_command(name, *arguments)
        self.output["output of commands"] += self.capsys.readouterr()

    def _sync_from_outside(self) -> None:
        """Sync with the command, and with a task."""
        self._prepare()
        self._command("sync_channels", "--json")
        self._prepare()
        result = sync_configuration.apply((self._configuration.pk,))
        self.output["results of tasks"] += [repr(result.result), str(result.traceback)]

    def _check_connection(self) -> None:
        response = run(self.client, CONFIGURATIONS, "check_connections", [self._configuration.pk])
        self.output["error pages"].append(response.content.decode())

    def _request_feed(self, place: str) -> None:
        """Request the feed with the right password and with wrong passwords, and request a token."""
        username, password = self.access.credentials().values()
        customer = self._configuration.enterprise_customer_uuid
        form = {"grant_type": "client_credentials", "client_id": username, "client_secret": password}
        for shown in (password, *self.access.wrong_secrets().values()):
            basic = base64.b64encode(f"{username}:{shown}".encode()).decode()
            self.proxy.secrets.add(basic)
            self._request(
                place, f"/integrated-channels/cornerstone/course-list?ciid={customer}", Authorization=f"Basic {basic}"
            )
        self._request(place, "/integrated-channels/cornerstone/token", form)

    def _request(self, place: str, address: str, form: dict[str, Any] | None = None, **headers: str) -> None:
        if form is None:
            response = self.client.get(address, headers=headers)
        else:
            response = self.client.post(address, form, headers=headers)
        self.output[place].append(b"".join(response).decode())


def _api_addresses(configuration: ChannelConfiguration) -> Iterator[str]:
    """Yield the URLs of a configuration and its records in the channels' API, and in both shapes of Open edX."""
    pk, customer, code = configuration.pk, configuration.enterprise_customer_uuid, configuration.channel_code
    yield from (CONFIGURATIONS_API, f"{CONFIGURATIONS_API}{pk}/")
    yield from (f"{records}?configuration={pk}&page_size=500" for records in (RUNS_API, TRANSMISSIONS_API, DECISIONS))
    yield from (f"{ATTEMPTS_API}?run={run.pk}&page_size=500" for run in configuration.runs.all())
    for prefix in ("/integrated_channels/api/v1/", "/channel_integrations/api/v1/"):
        yield f"{prefix}configs/?enterprise_customer={customer}"
        yield f"{prefix}logs/content_sync_status/{customer}/{code}/{pk}"


def _newest(address: str, number: int) -> list[int]:
    model = apps.get_model("integrated_channels", address.rstrip("/").rpartition("/")[2])
    return list(model._default_manager.order_by("-pk").values_list("pk", flat=True)[:number])


def _crash(*_: object, **__: object) -> Any:
    raise RuntimeError(CRASHED)


def _cut_the_wire(patch: pytest.MonkeyPatch, *, after: int) -> None:
    """Let the first ``after`` requests pass, and crash on the following requests."""
    left, send = iter(range(after)), httpx.HTTPTransport.handle_request

    def handle(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        return send(transport, request) if next(left, None) is not None else _crash()

    patch.setattr(httpx.HTTPTransport, "handle_request", handle)
