"""The OpenAPI schema describes each response of the channels' API, and each status that an operation can return."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from django.db import connection
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from enterprise_catalog.integrated_channels.api.urls import urlpatterns
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    Operation,
    OperationItem,
    OperationKind,
)
from enterprise_catalog.integrated_channels.tasks import run_operation, start_operation, sync_configuration
from tests.api.test_schema import assert_described, assert_error, unavailable
from tests.factories import DAY_ONE
from tests.factories.channels import SubscriptionFactory, TransmissionFactory
from tests.integrated_channels.api.endpoints import ROOT
from tests.integrated_channels.api.test_configurations import NEW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

#: List -> parameters that it needs.
PARAMETERS: Final = {
    **{
        f"{name}{end}": query
        for end in ("", "export.csv")
        for name, query in {
            **dict.fromkeys(("runs/", "transmissions/", "decisions/"), "configuration={pk}"),
            "attempts/": "run={run}",
        }.items()
    },
    "subscriptions/": "configuration={pk}",
    "diagnosis/": f"enterprise_customer={UUID(int=7)}&content_key=edX%2BDemoX",
}
#: Operation -> a body that it accepts; ``{}`` for others.
BODIES: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("post", "configurations/"): NEW,
    ("patch", "configurations/{id}/"): {"display_name": "Moodle"},
    ("post", "diagnosis/"): {
        "enterprise_customer": str(UUID(int=7)),
        "content_key": "edX+DemoX",
        "configuration": "{pk}",
    },
    ("post", "configurations/{id}/pause/"): {"reason": "Holidays."},
    ("post", "subscriptions/"): {"medium": "email", "email": "ops@example.org", "configuration": "{pk}"},
    ("patch", "subscriptions/{id}/"): {"muted": True},
}
UNREACHABLE: Final = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    generator: Any = SchemaGenerator
    generated: dict[str, Any] = generator().get_schema(request=None, public=True)
    return generated


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path below the root, and description of each operation."""
    for path, described in schema["paths"].items():
        if path.startswith(ROOT):
            for method, operation in described.items():
                yield method, path.removeprefix(ROOT), operation


def deletes_last(operation: tuple[str, str, dict[str, Any]]) -> tuple[bool, bool]:
    """Order operations: a configuration is deleted after its records."""
    method, path, _ = operation
    return method == "delete", path.startswith("configurations/")


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch) -> ChannelConfiguration:
    """A configuration with a run, a transmission, an attempt, a preview and a subscription. Its LMS is unreachable."""
    for task in (sync_configuration, run_operation):
        monkeypatch.setattr(task, "delay", lambda _: None)
    found = TransmissionFactory.create(transmitted=True).configuration
    ChannelConfiguration.objects.update(base_url=UNREACHABLE)
    operation = start_operation(found, OperationKind.PREVIEW, by="caller", now=DAY_ONE)
    SubscriptionFactory.create(configuration=found)
    OperationItem.objects.create(operation=operation, content_key="edX+DemoX", kind="create")
    return found


class Caller:
    """Calls one operation, correctly or with one change."""

    def __init__(self, client: APIClient, configuration: ChannelConfiguration, method: str, path: str) -> None:
        self.client, self.method, self.path = client, method, path
        self.ids = {
            "configurations/": configuration.pk,
            "runs/": configuration.runs.get().pk,
            "transmissions/": configuration.transmissions.get().pk,
            "operations/": Operation.objects.earliest("pk").pk,
            "subscriptions/": configuration.subscriptions.earliest("pk").pk,
        }

    def __call__(
        self, *, client: APIClient | None = None, pk: int | None = None, more: str = "", **changes: Any
    ) -> Any:
        part = self.path.partition("{id}")[0]
        path = self.path.replace("{id}", str(pk or self.ids.get(part)))
        query = PARAMETERS.get(path, "").format(pk=pk or self.ids["configurations/"], run=pk or self.ids["runs/"])
        url = f"{ROOT}{path}?{query}&{more}"
        body: dict[str, Any] = {}
        if self.method in ("post", "patch"):
            text = json.dumps(BODIES.get((self.method, self.path), {}))
            data = text.replace('"{pk}"', str(pk or self.ids["configurations/"])).encode()
            body = {"data": data, "content_type": "application/json"}
        return (client or self.client).generic(self.method.upper(), url, **{**body, **changes})


def test_it_describes_each_url(schema: dict[str, Any]) -> None:
    assert {path for _, path, _ in operations(schema)} == {
        str(pattern.pattern).replace("<int:pk>", "{id}") for pattern in urlpatterns
    }


def test_it_describes_each_response(
    operator: APIClient, schema: dict[str, Any], configuration: ChannelConfiguration
) -> None:
    for method, path, operation in sorted(operations(schema), key=deletes_last):
        response = Caller(operator, configuration, method, path)()

        described = operation["responses"][str(response.status_code)]
        assert response.status_code < 300, (method, path, response.content)
        if path.endswith(".csv"):
            assert response.headers["Content-Type"].startswith("text/csv")
            assert [*described["content"]] == ["text/csv"]
        elif response.status_code != 204:
            assert_described(schema, described["content"]["application/json"]["schema"], response.json())


def answers(caller: Caller, others: list[APIClient]) -> Iterator[Any]:
    """Yield the responses to a call with each possible error, and then to a correct call."""
    for client in others:
        yield caller(client=client)
    yield caller(pk=999)
    yield caller(HTTP_ACCEPT="application/xml")
    if caller.method in ("post", "patch"):
        yield caller(data=b"{")
        yield caller(CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
        yield caller(CONTENT_LENGTH=str(2**21))
        yield caller(content_type="text/plain")
    elif caller.method == "get":
        yield caller(more="page_size=0&page=0")
    if caller.path.endswith("sync-now/"):
        ChannelConfiguration.objects.update(active=False)
        yield caller()
        ChannelConfiguration.objects.update(active=True)
    yield caller()


def test_each_documented_status_occurs_and_no_other(
    client_with: Callable[..., APIClient],
    schema: dict[str, Any],
    configuration: ChannelConfiguration,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> None:
    settings.FAILURE_THROTTLE_RATE = "1000/minute"
    operator = client_with("enterprise_openedx_operator:*")
    others = [APIClient(), client_with("enterprise_learner:*")]
    for method, path, operation in sorted(operations(schema), key=deletes_last):
        caller = Caller(operator, configuration, method, path)
        found = {response.status_code: response for response in answers(caller, others)}
        with connection.execute_wrapper(unavailable):
            found[503] = caller()
        with monkeypatch.context() as patch:
            patch.setattr("rest_framework.throttling.SimpleRateThrottle.THROTTLE_RATES", {"user": "1/day"})
            found[429] = caller()

        assert {int(status) for status in operation["responses"]} == found.keys(), (method, path)
        for status, response in found.items():
            assert response.status_code == status
            if status >= 400:
                assert_error(schema, operation["responses"][str(status)], response.json())


def test_credentials_are_never_part_of_a_response(schema: dict[str, Any]) -> None:
    schemas = schema["components"]["schemas"]

    assert "credentials" in schemas["ConfigurationCreateRequest"]["properties"]
    assert [name for name, part in schemas.items() if "credentials" in part.get("properties", {})] == [
        "ConfigurationCreateRequest",
        "PatchedConfigurationChangeRequest",
    ]


def test_secrets_of_subscriptions_are_never_part_of_a_response(schema: dict[str, Any]) -> None:
    schemas = schema["components"]["schemas"]

    for secret in ("url", "secret"):
        assert secret in schemas["SubscriptionCreateRequest"]["properties"]
        assert secret in schemas["PatchedSubscriptionChangeRequest"]["properties"]
        assert secret not in schemas["Subscription"]["properties"]


def test_the_body_of_an_action_is_optional_except_for_the_reason_of_a_pause(schema: dict[str, Any]) -> None:
    for method, path, operation in operations(schema):
        if method == "post" and path.startswith("configurations/{id}/"):
            assert operation["requestBody"]["required"] is path.endswith("/pause/"), path
