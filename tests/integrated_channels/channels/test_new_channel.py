"""Registering a channel is enough to use it. docs/how-tos/add_a_channel.rst starts with the channel used here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command
from pydantic import SecretStr
from werkzeug import Response

from enterprise_catalog.integrated_channels.access.configurations import open_channel
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, RunState
from enterprise_catalog.sandbox.application import Operation, SandboxApplication
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into
from tests.integrated_channels.channels.example_channel import ExampleChannel, ExampleCredentials, ExampleSettings
from tests.integrated_channels.loopback_server import on_loopback
from tests.integrated_channels.pages import CONFIGURATIONS, filled_in, text_of
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from django.test import Client
    from werkzeug import Request

    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from tests.integrated_channels.conftest import Clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]

TOKEN = "a-token-of-the-example-lms"


@dataclass(kw_only=True, eq=False)
class ExampleSandbox(SandboxApplication):
    """In-memory boards. The operation name is the HTTP method."""

    courses: dict[str, Mapping[str, str]] = field(default_factory=dict)  #: Keyed by content key.

    def route(self, request: Request) -> Operation:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Operation(request.method, partial(Response, "Unknown token.", status=401))
        return Operation(request.method, partial(self._carry_out, request.method, request.path, request.get_data()))

    def _carry_out(self, method: str, path: str, body: bytes) -> Response:
        board, key = path.removeprefix("/").split("/", 1)
        if board != "learning":
            return Response("There is no such board.", status=404)
        if method == "PUT":
            self.courses[key] = json.loads(body)
        elif method == "DELETE":
            self.courses.pop(key, None)
        return Response(status=204)

    def content(self) -> Sequence[Mapping[str, object]]:
        return [{"key": key, **course} for key, course in self.courses.items()]

    def offered(self) -> Mapping[str, str]:
        return {key: course["title"] for key, course in self.courses.items()}

    def channel_credentials(self) -> Mapping[str, str]:
        return {"token": TOKEN}

    def channel_settings(self) -> Mapping[str, object]:
        return {"board": "learning"}


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the channel as the line in ``registry.py`` would. Nothing else refers to the channel."""
    monkeypatch.setitem(CHANNELS, ExampleChannel.code, ExampleChannel)


@pytest.fixture
def example_lms() -> ExampleSandbox:
    """An in-memory example LMS."""
    return ExampleSandbox()


@pytest.fixture
def create(
    example_lms: ExampleSandbox, customer: EnterpriseCustomer, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., ChannelConfiguration]]:
    """Return a function that creates a configuration with ``create_channel``; it accepts further settings."""
    with on_loopback(example_lms) as url:

        def configured(*, token: str = TOKEN, **settings: str) -> ChannelConfiguration:
            options = {
                "--channel": "EXAMPLE",
                "--customer-uuid": str(customer.pk),
                "--base-url": url,
                "--settings": json.dumps({**example_lms.channel_settings(), **settings}),
                "--credentials": json.dumps({"token": token}),
            }
            call_command("create_channel", *(part for pair in options.items() for part in pair))
            return ChannelConfiguration.objects.get(pk=int(capsys.readouterr().out))

        yield configured


def test_syncs_create_update_and_delete(
    create: Callable[..., ChannelConfiguration], customer: EnterpriseCustomer, example_lms: ExampleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=("edX+A/B", "B", "C"), customer=customer)
    configuration = create()
    first = run_of(configuration, clock)
    created = dict(example_lms.offered())
    clock.forward(hours=1)
    import_into(catalog, [CourseFactory.build(key="edX+A/B", title="<b>New</b>"), "B"], now=clock.now, replace=True)

    second = run_of(configuration, clock)

    assert (first.state, first.counts) == (RunState.COMPLETE, {"create": {"done": 3}})
    assert created == {"edX+A/B": "Course edX+A/B", "B": "Course B", "C": "Course C"}
    assert (second.state, second.counts) == (RunState.COMPLETE, {"update": {"done": 1}, "delete": {"done": 1}})
    assert example_lms.offered() == {"edX+A/B": "New", "B": "Course B"}


def test_its_connection_can_be_tried(
    create: Callable[..., ChannelConfiguration], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("test_channel", "--configuration", str(create().pk))
    works = capsys.readouterr().out
    with pytest.raises(SystemExit):
        call_command("test_channel", "--configuration", str(create(token="wrong", board="another").pk))
    fails = capsys.readouterr().out

    assert (works, fails) == ("", "The LMS returned 401: Unknown token.\n")


def test_the_admin_offers_it_with_its_settings_and_credentials(admin_client: Client) -> None:
    first = text_of(admin_client.get(f"{CONFIGURATIONS}add/"))
    chosen = {"channel_code": "EXAMPLE", "enterprise_customer_uuid": "22222222-2222-4222-8222-222222222222"}
    form = text_of(admin_client.get(f"{CONFIGURATIONS}add/", chosen))

    assert 'value="EXAMPLE"' in first
    assert "Example LMS" in first
    assert re.search('<input type="text" name="settings-board" value="courses"', form)
    assert "The board that lists the courses. Default: courses." in form
    assert re.search('<input type="password" name="credentials-token"', form)
    assert "A token of a user who may add courses." in form


def test_the_admin_saves_it_and_names_what_does_not_fit(admin_client: Client) -> None:
    entered = filled_in(channel_code="EXAMPLE", settings={"board": "x"}, credentials={"token": "t"})

    wrong = text_of(admin_client.post(f"{CONFIGURATIONS}add/", entered | {"credentials-token": ""}))
    saved = admin_client.post(f"{CONFIGURATIONS}add/", entered)

    assert "This field is required." in wrong
    assert saved.status_code == 302
    with open_channel(ChannelConfiguration.objects.get()) as channel:
        assert isinstance(channel, ExampleChannel)
        assert channel.settings == ExampleSettings(board="x")
        assert channel.credentials == ExampleCredentials(token=SecretStr("t"))


def test_it_needs_no_migration() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
