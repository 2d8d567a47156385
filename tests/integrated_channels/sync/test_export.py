"""Desired items and their metadata, read from the real catalog service over HTTP."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpx
import pytest
from werkzeug import Response

from enterprise_catalog.db.timestamps import format_time
from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient, MetadataResponse
from enterprise_catalog.integrated_channels.domain import (
    Action,
    Chunk,
    DesiredItem,
    History,
    ItemResult,
    Outcome,
    Outgoing,
    PlannedItem,
    Presence,
    Record,
    State,
)
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError, ConfigurationError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.sync.export import Export, Translations, export_chunk, translate_chunk
from enterprise_catalog.integrated_channels.sync.plan_inputs import catalogs_to_send, load_desired_items
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, CustomerFactory
from tests.integrated_channels.channels.moodle.connection import connected
from tests.integrated_channels.scripted_catalog import served

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from pytest_django import Settings

    from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
    from enterprise_catalog.integrated_channels.channels.moodle.channel import Moodle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("catalog_service")]

VERSION_ONE = format_time(DAY_ONE)
OLDER = format_time(DAY_ONE - timedelta(days=1))


@pytest.fixture
def client() -> Iterator[CatalogClient]:
    with CatalogClient() as client:
        yield client


@pytest.fixture
def channel() -> Moodle:
    """A channel for translations only. A call to its LMS fails the test."""
    return connected(httpx.MockTransport(lambda _: pytest.fail("the exporter calls no LMS")))


@pytest.fixture
def customer() -> EnterpriseCustomer:
    return CustomerFactory.create()


@pytest.fixture
def overlapping(customer: EnterpriseCustomer) -> tuple[EnterpriseCatalog, EnterpriseCatalog]:
    """Two catalogs in order of UUID: the first has A and B, the second B and C."""
    first, second = (uuid.UUID(int=number) for number in (1, 2))
    return (
        CatalogFactory.create(content=["A", "B"], customer=customer, uuid=first),
        CatalogFactory.create(content=["B", "C"], customer=customer, uuid=second),
    )


def a_record(key: str, catalog_uuid: UUID | None = None, *, is_deleted: bool = False) -> Record:
    return Record(
        content_key=key,
        state=State.TRANSMITTED,
        action=Action.CREATE,
        presence=Presence.PRESENT,
        catalog_uuid=catalog_uuid,
        content_updated_at=DAY_ONE,
        attempted_updated_at=DAY_ONE,
        next_attempt_at=None,
        is_deleted=is_deleted,
    )


def desired(
    client: CatalogClient, customer: EnterpriseCustomer, *records: Record, catalogs: Sequence[UUID] = ()
) -> dict[str, DesiredItem]:
    configuration = ChannelConfiguration(
        enterprise_customer_uuid=customer.pk, catalog_uuids=[str(catalog_uuid) for catalog_uuid in catalogs]
    )
    catalog_uuids = catalogs_to_send(configuration, client.list_catalogs(customer.pk).uuids)
    return load_desired_items(
        catalog_uuids, History({}, {record.content_key: record for record in records}), client
    ).items


def exported(
    client: CatalogClient, channel: Moodle, action: Action, catalog_uuid: UUID | None, **rows: dict[str, Any]
) -> Export:
    """Export a chunk. ``rows`` are the columns of each key's transmission row."""
    items = tuple(PlannedItem(key, action, "test", catalog_uuid) for key in rows)
    stored = {key: ContentMetadataItemTransmission(content_key=key, **columns) for key, columns in rows.items()}
    chunk = Chunk(items)
    return export_chunk(chunk, stored, translate_chunk(chunk, client, channel))


# --- desired items ----------------------------------------------------------------------------------------------------


def test_the_union_of_all_catalogs_of_the_customer_is_desired(
    client: CatalogClient, customer: EnterpriseCustomer, overlapping: tuple[EnterpriseCatalog, EnterpriseCatalog]
) -> None:
    first, second = overlapping
    CatalogFactory.create(content=["D"], customer__slug="other")

    assert desired(client, customer) == {
        "A": DesiredItem(first.pk, None),
        "B": DesiredItem(first.pk, None),
        "C": DesiredItem(second.pk, None),
    }


def test_only_configured_catalogs_count_in_any_order(
    client: CatalogClient, customer: EnterpriseCustomer, overlapping: tuple[EnterpriseCatalog, EnterpriseCatalog]
) -> None:
    first, second = overlapping

    assert desired(client, customer, catalogs=[second.pk]).keys() == {"B", "C"}
    assert desired(client, customer, catalogs=[second.pk, first.pk]) == desired(client, customer)


def test_an_item_stays_with_the_catalog_that_it_was_sent_from(
    client: CatalogClient, customer: EnterpriseCustomer, overlapping: tuple[EnterpriseCatalog, EnterpriseCatalog]
) -> None:
    first, second = overlapping

    found = desired(client, customer, a_record("A", first.pk), a_record("B", second.pk))

    assert found["A"] == DesiredItem(first.pk, DAY_ONE)
    assert found["B"] == DesiredItem(second.pk, DAY_ONE)


def test_an_item_whose_catalog_gave_it_up_goes_to_the_first_that_has_it(
    client: CatalogClient, customer: EnterpriseCustomer, overlapping: tuple[EnterpriseCatalog, EnterpriseCatalog]
) -> None:
    first, second = overlapping

    found = desired(client, customer, a_record("A", second.pk), a_record("B", uuid.uuid4()), a_record("Z", first.pk))

    assert found["A"] == DesiredItem(first.pk, DAY_ONE)
    assert found["B"] == DesiredItem(first.pk, DAY_ONE)
    assert "Z" not in found


def test_an_item_that_was_deleted_is_new_again(
    client: CatalogClient, customer: EnterpriseCustomer, overlapping: tuple[EnterpriseCatalog, EnterpriseCatalog]
) -> None:
    first, second = overlapping

    found = desired(client, customer, a_record("B", second.pk, is_deleted=True))

    assert found["B"] == DesiredItem(first.pk, None)


def test_a_settled_item_is_matched_in_the_catalog_that_it_was_sent_from(
    client: CatalogClient, overlapping: tuple[EnterpriseCatalog, EnterpriseCatalog]
) -> None:
    first, second = (catalog.pk for catalog in overlapping)
    history = History({first: {"A": VERSION_ONE}, second: {"B": VERSION_ONE, "C": OLDER}}, {})

    found = load_desired_items([first, second], history, client)

    assert found.matched == {"A": first, "B": second}
    assert found.items == {"C": DesiredItem(second, DAY_ONE)}
    assert [found.catalog_of(key) for key in "ABC"] == [first, second, second]


def test_what_is_settled_is_sent_again_from_another_catalog_when_its_own_gave_it_up(
    client: CatalogClient, overlapping: tuple[EnterpriseCatalog, EnterpriseCatalog]
) -> None:
    first, second = (catalog.pk for catalog in overlapping)
    history = History({second: {"A": VERSION_ONE}, uuid.uuid4(): {"B": VERSION_ONE}, first: {"Z": VERSION_ONE}}, {})

    found = load_desired_items([first, second], history, client)

    assert found.matched == {}
    assert found.items["A"] == DesiredItem(first, DAY_ONE)
    assert found.items["B"] == DesiredItem(first, DAY_ONE)
    assert "Z" not in found


def test_what_is_settled_and_was_queued_meanwhile_is_not_matched(
    client: CatalogClient, overlapping: tuple[EnterpriseCatalog, EnterpriseCatalog]
) -> None:
    first, second = (catalog.pk for catalog in overlapping)
    history = History({first: {"A": VERSION_ONE}}, {"A": a_record("A", first)})

    found = load_desired_items([first, second], history, client)

    assert "A" not in found.matched
    assert found.items["A"] == DesiredItem(first, DAY_ONE)


def test_a_named_catalog_that_is_not_the_customers_is_a_fault_of_the_configuration(
    client: CatalogClient, customer: EnterpriseCustomer, overlapping: tuple[EnterpriseCatalog, EnterpriseCatalog]
) -> None:
    first, _ = overlapping

    with pytest.raises(ConfigurationError, match="has no catalog"):
        desired(client, customer, a_record("A", first.pk), catalogs=[first.pk, uuid.uuid4()])


def test_one_catalog_that_cannot_be_read_leaves_nothing_known(customer: EnterpriseCustomer, settings: Settings) -> None:
    catalogs = [{"uuid": str(uuid.UUID(int=number))} for number in (1, 2)]
    diff: dict[str, object] = {"catalog_version": "1", "existing": [], "to_create": ["B"], "to_delete": ["A"]}
    with served() as (service, url):
        service.answers["enterprise-catalogs"] = [{"next": None, "results": catalogs}]
        service.answers["content-diff"] = [diff, Response(status=503)]
        settings.CATALOG_API_URL, settings.OAUTH2_PROVIDER_URL = url, f"{url}/oauth2"

        with CatalogClient() as client, pytest.raises(CatalogUnavailableError, match="returned 503"):
            desired(client, customer, a_record("A"))


# --- metadata ---------------------------------------------------------------------------------------------------------


def test_what_is_created_and_updated_is_translated(client: CatalogClient, channel: Moodle) -> None:
    catalog = CatalogFactory.create(content=["A", "B"])

    export = exported(client, channel, Action.UPDATE, catalog.pk, A={"remote_id": "7"}, B={})

    assert [(item.content_key, item.payload["idnumber"], item.remote_id) for item in export.outgoing] == [
        ("A", "A", "7"),
        ("B", "B", ""),
    ]
    assert export.exported["A"].title == "Course A"
    assert export.exported["A"].updated_at == DAY_ONE
    assert export.settled == []


def test_a_delete_needs_no_metadata(client: CatalogClient, channel: Moodle) -> None:
    export = exported(client, channel, Action.DELETE, None, A={"remote_id": "7"}, B={})

    assert export.outgoing == [Outgoing("A", {}, "7", action=Action.DELETE), Outgoing("B", {}, action=Action.DELETE)]
    assert (export.exported, export.settled) == ({}, [])


def test_items_of_several_catalogs_are_fetched_from_their_own(
    client: CatalogClient, channel: Moodle, overlapping: tuple[EnterpriseCatalog, EnterpriseCatalog]
) -> None:
    items = tuple(
        PlannedItem(key, Action.CREATE, "test", catalog.pk) for key, catalog in zip("AC", overlapping, strict=True)
    )
    rows = {key: ContentMetadataItemTransmission(content_key=key) for key in "AC"}

    chunk = Chunk(items)
    export = export_chunk(chunk, rows, translate_chunk(chunk, client, channel))

    assert [item.content_key for item in export.outgoing] == ["A", "C"]


def test_items_of_each_catalog_are_requested_once_and_none_for_deletes(channel: Moodle) -> None:
    first, second = uuid.UUID(int=1), uuid.UUID(int=2)
    wanted = [PlannedItem(key, Action.CREATE, "test", first if key < "C" else second) for key in "ACB"]
    gone = PlannedItem("gone", Action.DELETE, "left the catalogs")
    catalog = mock.create_autospec(CatalogClient, instance=True)
    catalog.fetch_metadata.side_effect = lambda _, keys: MetadataResponse({}, {}, dict.fromkeys(keys, "gone"), "7")

    translations = translate_chunk(Chunk((wanted[0], gone, *wanted[1:])), catalog, channel)

    assert catalog.fetch_metadata.call_args_list == [mock.call(first, ["A", "B"]), mock.call(second, ["C"])]
    assert sorted(translations.by_key) == ["A", "B", "C"]
    assert translations.versions == {first: "7", second: "7"}
    assert translate_chunk(Chunk((gone,)), catalog, channel) == Translations()
    assert catalog.fetch_metadata.call_count == 2


def test_a_document_that_cannot_be_read_or_sent_affects_no_other_item(client: CatalogClient, channel: Moodle) -> None:
    catalog = CatalogFactory.create(
        content=["A", CourseFactory.build(key="B", title={"not": "text"}), CourseFactory.build(key="C", title=None)]
    )

    export = exported(client, channel, Action.CREATE, catalog.pk, A={}, B={}, C={})

    assert [item.content_key for item in export.outgoing] == ["A"]
    unreadable = "The content document is invalid: title: Input should be a valid string"
    assert export.settled == [
        ItemResult("B", Outcome.REJECTED, message=unreadable),
        ItemResult("C", Outcome.REJECTED, message="The item has no title; Moodle needs one."),
    ]


def test_an_item_that_left_the_catalog_meanwhile_is_left_to_the_next_run(
    client: CatalogClient, channel: Moodle
) -> None:
    catalog = CatalogFactory.create(content=["A"])

    export = exported(client, channel, Action.CREATE, catalog.pk, A={}, B={})

    assert [item.content_key for item in export.outgoing] == ["A"]
    [left] = export.settled
    assert (left.content_key, left.outcome) == ("B", Outcome.SKIPPED)


def test_an_update_that_would_change_nothing_at_the_lms_is_not_sent(client: CatalogClient, channel: Moodle) -> None:
    catalog = CatalogFactory.create(content=["A"])
    first = exported(client, channel, Action.CREATE, catalog.pk, A={})
    held = {"state": State.TRANSMITTED, "payload_hash": first.exported["A"].payload_hash}

    again = exported(client, channel, Action.UPDATE, catalog.pk, A=held)

    assert again.outgoing == []
    assert again.settled == [ItemResult("A", Outcome.UNCHANGED)]


@pytest.mark.parametrize(
    ("action", "state"),
    [(Action.CREATE, State.TRANSMITTED), (Action.UPDATE, State.RETRYING), (Action.UPDATE, State.IN_DOUBT)],
)
def test_an_item_that_the_lms_may_not_hold_is_sent_though_it_did_not_change(
    client: CatalogClient, channel: Moodle, action: Action, state: State
) -> None:
    catalog = CatalogFactory.create(content=["A"])
    first = exported(client, channel, Action.CREATE, catalog.pk, A={})
    row = {"state": state, "payload_hash": first.exported["A"].payload_hash}

    again = exported(client, channel, action, catalog.pk, A=row)

    [sent, sent_first] = [*again.outgoing, *first.outgoing]
    assert (sent.payload, sent.action) == (sent_first.payload, action)


def test_metadata_that_cannot_be_fetched_settles_nothing(client: CatalogClient, channel: Moodle) -> None:
    with pytest.raises(CatalogUnavailableError):
        exported(client, channel, Action.CREATE, uuid.uuid4(), A={})
