"""The lists, rows and diagnoses of both APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from enterprise_catalog.integrated_channels.api.open_edx.members import CHANNEL_MEMBERS
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.domain import Outcome, State
from enterprise_catalog.integrated_channels.models import DecisionAction, Operation, RunState, Status, SyncRun
from tests.benchmarks.audit_view.details import Example
from tests.benchmarks.audit_view.mixture import SUBJECTS
from tests.integrated_channels.api.endpoints import (
    ATTEMPTS,
    CONFIGURATIONS,
    DECISIONS,
    DIAGNOSIS,
    OPERATIONS,
    OVERVIEW,
    RUNS,
    TRANSMISSIONS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.test import Client

_OPEN_EDX: Final = "/integrated_channels/api/v1/"
_CATALOG: Final = "/api/v1/"


def api_addresses(client: Client) -> Iterator[str]:
    """Yield URLs, each list's also with its next page; the client has a role for all customers."""
    example = Example.find()
    for address in (*_lists(example), *_of_operations()):
        yield address
        following = client.get(address).json()["next"]
        if following:
            yield following.removeprefix("http://testserver")
    yield from _rows(example)
    yield from _open_edx(example)
    yield from _catalog(example)


def _lists(example: Example) -> Iterator[str]:
    pk, item = example.configuration.pk, example.item
    run = SyncRun.objects.filter(configuration=pk).latest("pk")
    customer = str(example.configuration.enterprise_customer_uuid)
    yield from _filtered(
        CONFIGURATIONS, {"state": Status.values, "channel": list(CHANNELS), "active": ["true", "false"]}
    )
    yield f"{CONFIGURATIONS}?enterprise_customer={customer}"
    yield from _filtered(RUNS, {"state": RunState.values})
    yield from _filtered(RUNS, {"state": RunState.values}, configuration=str(pk))
    states = [state.value for state in State]
    yield from _filtered(TRANSMISSIONS, {"state": states}, configuration=str(pk))
    yield from _filtered(TRANSMISSIONS, {"state": states}, content_key=item.content_key)
    for term in (item.content_key[:5], SUBJECTS[0].lower(), "reason: invalid", "remote: 5000048", customer):
        yield f"{TRANSMISSIONS}?{urlencode({'search': term})}"
    outcomes = [outcome.value for outcome in Outcome]
    yield from _filtered(ATTEMPTS, {"outcome": outcomes}, run=str(run.pk))
    yield from _filtered(ATTEMPTS, {"outcome": outcomes}, transmission=str(item.pk))
    yield from _filtered(DECISIONS, {"action": DecisionAction.values})
    yield from _filtered(DECISIONS, {"action": DecisionAction.values}, configuration=str(pk))


def _filtered(base: str, choices: Mapping[str, list[str]], **others: str) -> Iterator[str]:
    """Yield the list with the other parameters, without a choice and with each one."""
    yield f"{base}?{urlencode(others)}"
    for name, values in choices.items():
        yield from (f"{base}?{urlencode({**others, name: value})}" for value in values)


def _of_operations() -> Iterator[str]:
    newest = Operation.objects.latest("pk")
    yield from _filtered(f"{OPERATIONS}{newest.pk}/items/", {"kind": ["create", "delete"]})


def _rows(example: Example) -> Iterator[str]:
    pk, item = example.configuration.pk, example.item
    customer = str(example.configuration.enterprise_customer_uuid)
    yield from (f"{CONFIGURATIONS}{pk}/", f"{TRANSMISSIONS}{item.pk}/", OVERVIEW)
    yield f"{RUNS}{SyncRun.objects.latest('pk').pk}/"
    yield f"{OPERATIONS}{Operation.objects.latest('pk').pk}/"
    yield from (f"{OVERVIEW}?{urlencode({'state': state, 'page': 20})}" for state in Status)
    for text in (example.known_key, example.new_key, example.known_key.lower(), SUBJECTS[0], "Nowhere+X"):
        yield f"{DIAGNOSIS}?{urlencode({'enterprise_customer': customer, 'content_key': text})}"


def _open_edx(example: Example) -> Iterator[str]:
    """Yield the lists of configurations. The list of items, as in Open edX, sorts all items of a configuration."""
    yield f"{_OPEN_EDX}configs/?enterprise_customer={example.configuration.enterprise_customer_uuid}"
    yield from (f"{_OPEN_EDX}{channel}/configuration/" for channel in CHANNEL_MEMBERS)


def _catalog(example: Example) -> Iterator[str]:
    """Yield the lookups that the diagnosis requests from the catalog service."""
    customer = str(example.configuration.enterprise_customer_uuid)
    for text in (example.known_key, example.known_key.lower(), f"course-v1:{example.known_key}+2026", SUBJECTS[0], "x"):
        yield f"{_CATALOG}content-lookup/?{urlencode({'enterprise_customer': customer, 'content_key': text})}"
    yield from (f"{_CATALOG}enterprise-customers/?q={text}" for text in ("customer", "nothing", customer))
    yield f"{_CATALOG}enterprise-catalogs/?enterprise_customer={customer}"
