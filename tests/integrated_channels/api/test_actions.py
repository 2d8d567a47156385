"""``configurations/{id}/{action}/``: what users do, who may do it, and the decision that remains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from enterprise_catalog.integrated_channels.api.throttles import LMSThrottle
from enterprise_catalog.integrated_channels.api.views.actions import ACTIONS
from enterprise_catalog.integrated_channels.api.views.operations import STARTING
from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    Operation,
    OperationKind,
)
from enterprise_catalog.integrated_channels.tasks import run_operation, start_operation, sync_configuration
from tests.factories import DAY_ONE
from tests.factories.channels import SECRET, ConfigurationFactory, TransmissionFactory
from tests.integrated_channels.api.endpoints import (
    CONFIGURATIONS,
    DECISIONS,
    DIAGNOSIS,
    OPERATIONS,
    OVERVIEW,
    TRANSMISSIONS,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rest_framework.test import APIClient

    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox

pytestmark = pytest.mark.django_db

REASON: Final = "The customer asked for it."


@pytest.fixture
def configuration() -> ChannelConfiguration:
    return ConfigurationFactory.create()


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The configurations whose sync was queued."""
    ids: list[int] = []
    monkeypatch.setattr(sync_configuration, "apply_async", lambda args, *_, **__: ids.extend(args))
    monkeypatch.setattr(run_operation, "delay", lambda _: None)
    return ids


def act(client: APIClient, configuration: ChannelConfiguration, action: str, body: dict[str, Any] | None = None) -> Any:
    return client.post(f"{CONFIGURATIONS}{configuration.pk}/{action}/", body)


def states(configuration: ChannelConfiguration) -> dict[str, str]:
    rows = ContentMetadataItemTransmission.objects.of(configuration)
    return dict(rows.values_list("content_key", "state"))


def logged(client: APIClient, configuration: ChannelConfiguration) -> list[dict[str, Any]]:
    """Return the configuration's decisions, newest first, without ids and times."""
    found = client.get(DECISIONS, {"configuration": configuration.pk}).json()["results"]
    names = ("action", "made_by", "reason", "items", "sample")
    return [{name: decision[name] for name in names} for decision in found]


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("action", [*ACTIONS, *STARTING])
def test_an_admin_cannot_act_on_another_customers_configuration(
    configuration: ChannelConfiguration, admin_of: Callable[[UUID], APIClient], queued: list[int], action: str
) -> None:
    client = admin_of(UUID(int=8))

    known, unknown = (act(client, row, action) for row in (configuration, ChannelConfiguration(pk=999)))

    assert known.status_code == unknown.status_code == 403
    assert known.content == unknown.content
    assert queued == []


def test_a_sync_is_queued(operator: APIClient, configuration: ChannelConfiguration, queued: list[int]) -> None:
    response = act(operator, configuration, "sync-now", {"reason": REASON})

    assert (response.status_code, response.json()) == (202, {"is_queued": True})
    assert queued == [configuration.pk]
    assert logged(operator, configuration) == [
        {"action": "sync_now", "made_by": "caller", "reason": REASON, "items": 0, "sample": []}
    ]


def test_an_inactive_configuration_is_not_queued(operator: APIClient, queued: list[int]) -> None:
    configuration = ConfigurationFactory.create(active=False)

    response = act(operator, configuration, "sync-now")

    assert (response.status_code, response.json()["code"]) == (409, "inactive")
    assert queued == []


def test_an_unreachable_broker_is_reported(
    operator: APIClient, configuration: ChannelConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(sync_configuration, "apply_async", refuse)

    assert act(operator, configuration, "sync-now").json() == {"is_queued": False}


def test_the_connection_is_checked(operator: APIClient, moodle: MoodleSandbox, moodle_url: str) -> None:
    configuration = ConfigurationFactory.create(sandbox=moodle, base_url=moodle_url)

    assert act(operator, configuration, "check-connection").json() == {"problems": []}


def test_connections_are_checked_a_limited_number_of_times(
    operator: APIClient, configuration: ChannelConfiguration, monkeypatch: pytest.MonkeyPatch
) -> None:
    ChannelConfiguration.objects.update(base_url="http://127.0.0.1:9")
    monkeypatch.setattr(LMSThrottle, "rate", "2/day")

    statuses = [act(operator, configuration, "check-connection").status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert operator.get(CONFIGURATIONS).status_code == 200


def test_a_problem_of_the_connection_is_returned_without_the_secret(
    operator: APIClient, configuration: ChannelConfiguration, moodle_url: str
) -> None:
    ChannelConfiguration.objects.update(base_url=moodle_url)

    response = act(operator, configuration, "check-connection")

    assert len(response.json()["problems"]) == 1
    assert SECRET not in response.content.decode()


@pytest.mark.parametrize(("action", "state"), [("approve-deletes", State.PENDING), ("keep-items", State.KEPT)])
def test_held_deletes_are_decided(
    operator: APIClient, configuration: ChannelConfiguration, action: str, state: State
) -> None:
    TransmissionFactory.create_for_keys(["edX+A", "edX+B"], configuration=configuration, held=True)

    response = act(operator, configuration, action, {"content_keys": ["edX+B"], "reason": REASON})

    assert response.json() == {"items": 1}
    assert states(configuration) == {"edX+A": State.HELD, "edX+B": state}
    [decision] = logged(operator, configuration)
    assert (decision["action"], decision["items"]) == (action.replace("-", "_"), 1)
    assert decision["sample"] == ["edX+B"]


def test_kept_items_are_deleted_after_all(operator: APIClient, configuration: ChannelConfiguration) -> None:
    TransmissionFactory.create_for_keys(["edX+A"], configuration=configuration, kept=True)

    assert act(operator, configuration, "approve-deletes").json() == {"items": 0}
    assert act(operator, configuration, "delete-kept").json() == {"items": 1}
    assert states(configuration) == {"edX+A": State.PENDING}


@pytest.mark.parametrize(
    ("body", "sent", "action"),
    [
        ({}, {"edX+R", "edX+D"}, "send_again"),
        ({"state": "dead_letter"}, {"edX+D"}, "requeue"),
        ({"content_keys": ["edX+R", "edX+T"]}, {"edX+R"}, "send_again"),
    ],
)
def test_failed_items_are_sent_again(
    operator: APIClient, configuration: ChannelConfiguration, body: dict[str, Any], sent: set[str], action: str
) -> None:
    for key, state in (("edX+R", "rejected"), ("edX+D", "dead_letter"), ("edX+T", "transmitted")):
        TransmissionFactory.create_for_keys([key], configuration=configuration, **{state: True})

    response = act(operator, configuration, "send-again", body)

    assert response.json() == {"items": len(sent)}
    assert {key for key, state in states(configuration).items() if state == State.PENDING} == sent
    assert logged(operator, configuration)[0]["action"] == action


@pytest.mark.parametrize(
    "body", [{"content_keys": []}, {"content_keys": "x"}, {"content_keys": ["k" * 256]}, {"state": "held"}, {"x": 1}]
)
def test_a_wrong_body_is_refused(
    operator: APIClient, configuration: ChannelConfiguration, body: dict[str, Any]
) -> None:
    response = act(operator, configuration, "send-again", body)

    assert (response.status_code, [*response.json()]) == (400, [*body, "code"])


def test_the_body_may_be_left_out(operator: APIClient, configuration: ChannelConfiguration) -> None:
    response = operator.post(f"{CONFIGURATIONS}{configuration.pk}/keep-items/")

    assert response.json() == {"items": 0}
    assert logged(operator, configuration) == []


def test_an_unknown_action_is_not_found(operator: APIClient, configuration: ChannelConfiguration) -> None:
    assert act(operator, configuration, "explode").status_code == 404


@pytest.mark.usefixtures("queued")
def test_an_admin_sees_the_decisions_of_one_configuration(
    configuration: ChannelConfiguration, admin_of: Callable[[UUID], APIClient], operator: APIClient
) -> None:
    act(operator, configuration, "sync-now")
    admin, other = admin_of(configuration.enterprise_customer_uuid), admin_of(UUID(int=8))

    assert len(logged(admin, configuration)) == 1
    assert other.get(DECISIONS, {"configuration": configuration.pk}).status_code == 403
    assert admin.get(DECISIONS).json()["code"] == "required"
    assert len(operator.get(DECISIONS, {"action": "sync_now"}).json()["results"]) == 1
    assert operator.get(DECISIONS, {"action": "pause"}).json()["results"] == []


def test_a_configuration_is_paused_and_resumed(operator: APIClient, configuration: ChannelConfiguration) -> None:
    paused = act(operator, configuration, "pause", {"reason": REASON}).json()
    resumed = act(operator, configuration, "resume").json()

    assert (paused["active"], paused["pause_reason"], paused["state"]) == (False, REASON, "paused")
    assert (resumed["active"], resumed["pause_reason"], resumed["paused_at"]) == (True, "", None)
    assert [decision["action"] for decision in logged(operator, configuration)] == ["resume", "pause"]


def test_a_pause_needs_a_reason(operator: APIClient, configuration: ChannelConfiguration) -> None:
    responses = [act(operator, configuration, "pause", body) for body in (None, {"reason": " "})]

    assert [(response.status_code, [*response.json()]) for response in responses] == [(400, ["reason", "code"])] * 2
    configuration.refresh_from_db()
    assert configuration.active


@pytest.mark.usefixtures("queued")
def test_a_customers_admin_sees_neither_the_names_of_staff_nor_their_reasons(
    configuration: ChannelConfiguration, operator: APIClient, admin_of: Callable[[UUID], APIClient]
) -> None:
    TransmissionFactory.create_for_keys("h", configuration=configuration, held=True)
    TransmissionFactory.create_for_keys("k", configuration=configuration, kept=True)
    TransmissionFactory.create_for_keys("d", configuration=configuration, dead_letter=True)
    rows = configuration.transmissions
    decided: dict[str, Any] = {"by": "eve.staff", "now": DAY_ONE, "reason": "Owes us money."}
    decisions.decide_deletes(rows.all(), approved=False, **decided)
    decisions.delete_kept(rows.filter(content_key="k"), **decided)
    decisions.queue_again(rows.all(), **decided)
    decisions.pause(configuration, **decided)
    operation = start_operation(configuration, OperationKind.PREVIEW, **decided)
    places = [
        f"{DECISIONS}?configuration={configuration.pk}",
        f"{OPERATIONS}{operation.pk}/",
        f"{TRANSMISSIONS}?configuration={configuration.pk}",
        f"{CONFIGURATIONS}{configuration.pk}/",
        CONFIGURATIONS,
        f"{OVERVIEW}?state=paused",
        f"{DIAGNOSIS}?enterprise_customer={configuration.enterprise_customer_uuid}&content_key=h",
    ]

    for place in places:
        seen = admin_of(configuration.enterprise_customer_uuid).get(place)
        assert seen.status_code == 200, place
        assert b"eve.staff" not in seen.content, place
        assert b"Owes us" not in seen.content, place
    for place in (*places[:2], *places[3:]):
        assert b"Owes us money." in operator.get(place).content, place


def test_a_customers_admin_sees_the_own_name_and_reason(
    configuration: ChannelConfiguration, admin_of: Callable[[UUID], APIClient]
) -> None:
    admin = admin_of(configuration.enterprise_customer_uuid)
    act(admin, configuration, "pause", {"reason": REASON})
    decisions.resume(configuration, by="eve.staff", now=timezone.now(), reason="Paid.")

    assert [(each["made_by"], each["reason"]) for each in logged(admin, configuration)] == [
        ("Support", ""),
        ("caller", REASON),
    ]


@pytest.mark.usefixtures("queued")
def test_a_long_action_is_an_operation_that_can_be_followed(
    operator: APIClient, configuration: ChannelConfiguration
) -> None:
    started, repeated = (act(operator, configuration, "preview") for _ in range(2))
    operation = Operation.objects.get()
    for key in ("edX+B", "edX+A"):
        operation.found.create(content_key=key, kind="create", details="new in the catalogs")

    page = operator.get(f"{OPERATIONS}{operation.pk}/items/", {"page_size": 1}).json()

    assert started.status_code == 202
    assert started.json()["id"] == repeated.json()["id"] == operation.pk
    assert operator.get(f"{OPERATIONS}{operation.pk}/").json()["state"] == "waiting"
    assert page["results"] == [{"content_key": "edX+A", "kind": "create", "details": "new in the catalogs"}]
    assert operator.get(page["next"]).json()["results"][0]["content_key"] == "edX+B"


@pytest.mark.usefixtures("queued")
@pytest.mark.parametrize("end", ["", "items/"])
def test_another_customers_operation_cannot_be_distinguished_from_none(
    operator: APIClient, admin_of: Callable[[UUID], APIClient], configuration: ChannelConfiguration, end: str
) -> None:
    pk = act(operator, configuration, "preview").json()["id"]

    known, unknown = (admin_of(UUID(int=8)).get(f"{OPERATIONS}{each}/{end}") for each in (pk, 999))

    assert known.status_code == unknown.status_code == 403
    assert known.content == unknown.content
