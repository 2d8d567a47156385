"""The factories' rows are rows that the project could have written."""

from __future__ import annotations

import hashlib

import orjson
import pytest

from enterprise_catalog.catalog.models import ContentMetadata
from enterprise_catalog.integrated_channels.access.configurations import validate
from enterprise_catalog.integrated_channels.audit.transitions import apply_to_row, set_task
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.domain import Action, Exported, ItemResult, Outcome, State
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, TransmissionAttempt
from tests.factories import DAY_ONE, DAY_TWO
from tests.factories.catalog import CatalogFactory, CourseFactory
from tests.factories.channels import REJECTION, AttemptFactory, ConfigurationFactory, TransmissionFactory

pytestmark = pytest.mark.django_db

#: The columns that a result changes, without the pause and its random part.
COLUMNS = (
    "action",
    "attempts",
    "attempted_updated_at",
    "content_updated_at",
    "deleted_at",
    "due_since",
    "payload_hash",
    "presence",
    "reason",
    "remote_created_at",
    "remote_deleted_at",
    "remote_updated_at",
    "state",
)


def columns_of(row: ContentMetadataItemTransmission) -> dict[str, object]:
    return {name: getattr(row, name) for name in COLUMNS} | {"is_retried": row.next_attempt_at is not None}


@pytest.mark.parametrize(
    ("before", "action", "outcome"),
    [
        pytest.param({}, Action.CREATE, Outcome.DONE, id="transmitted"),
        pytest.param({}, Action.CREATE, Outcome.STAGED, id="staged"),
        pytest.param({}, Action.CREATE, Outcome.RETRY, id="retrying"),
        pytest.param({}, Action.CREATE, Outcome.REJECTED, id="rejected"),
        pytest.param({"retrying": True, "attempts": 9}, Action.CREATE, Outcome.RETRY, id="dead_letter"),
        pytest.param({"transmitted": True}, Action.DELETE, Outcome.DONE, id="deleted"),
    ],
)
def test_a_trait_is_the_state_after_a_result(
    request: pytest.FixtureRequest, before: dict[str, object], action: Action, outcome: Outcome
) -> None:
    trait = request.node.callspec.id
    failed = outcome in {Outcome.RETRY, Outcome.REJECTED}
    row = TransmissionFactory.create(**before)
    exported = Exported(updated_at=DAY_ONE, payload_hash="5" * 64)

    set_task(row, action, exported)
    apply_to_row(row, ItemResult(row.content_key, outcome, message=REJECTION if failed else ""), exported, DAY_ONE)

    made = TransmissionFactory.create(**{trait: True})
    assert columns_of(made) == columns_of(row)
    assert made.attempt_rows.get().outcome == outcome


@pytest.mark.parametrize("state", State)
def test_each_state_has_a_trait(state: State) -> None:
    assert TransmissionFactory.create(**{state.value: True}).state == state


def test_transmissions_of_several_keys_share_configuration_and_run() -> None:
    rows = TransmissionFactory.create_for_keys(["b", "a"], transmitted=True)

    assert [row.content_key for row in rows] == ["b", "a"]
    assert len({row.configuration_id for row in rows}) == 1
    assert TransmissionAttempt.objects.values("run").distinct().count() == 1


def test_an_attempt_in_flight_has_no_outcome() -> None:
    attempt = AttemptFactory.create(in_flight=True)

    assert attempt.run.configuration == attempt.transmission.configuration
    assert (attempt.outcome, attempt.finished_at) == ("", None)


@pytest.mark.parametrize("code", CHANNELS)
def test_a_configuration_of_each_channel_is_valid(code: str) -> None:
    configuration = ConfigurationFactory.create(channel_code=code, display_name="Acme", chunk_size=3)

    validate(configuration)
    configuration.refresh_from_db()
    assert (configuration.channel_code, configuration.display_name, configuration.chunk_size) == (code, "Acme", 3)


def test_a_catalog_is_written_by_the_import() -> None:
    catalog = CatalogFactory.create(courses=2, content=["a", CourseFactory.build(key="b", title="B")], now=DAY_TWO)

    rows = ContentMetadata.objects.order_by("content_key")
    document = orjson.loads(rows[3].document.json)
    assert [row.content_key for row in rows] == [*CourseFactory.keys(2), "a", "b"]
    assert {row.updated_at for row in rows} == {DAY_TWO}
    assert rows[3].content_hash == hashlib.sha256(b"course\0" + orjson.dumps(document)).hexdigest()
    assert (catalog.enterprise_customer.slug, document["title"]) == ("acme", "B")
