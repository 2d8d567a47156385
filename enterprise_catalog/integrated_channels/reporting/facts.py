"""All facts about one item and one configuration: rows, catalogs, translation, and the step of the next plan.

The step comes from the planning of the sync engine itself, and the translation from its export. So a diagnosis agrees
with the next run.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, cast

from django.db.models import OuterRef, Subquery

from enterprise_catalog.integrated_channels.access.configurations import open_channel
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.domain import Action, DesiredItem, Outcome, Presence, State
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, StopCause
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    FeedItem,
    RunState,
    SyncLease,
    SyncRun,
    TransmissionAttempt,
)
from enterprise_catalog.integrated_channels.sync.export import translate
from enterprise_catalog.integrated_channels.sync.plan import step_of
from enterprise_catalog.integrated_channels.sync.plan_inputs import catalogs_to_send

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient, MetadataResponse
    from enterprise_catalog.integrated_channels.catalog_api.lookups import ContentLookup, LookedUpCatalog
    from enterprise_catalog.integrated_channels.domain import PlannedItem, Record
    from enterprise_catalog.integrated_channels.reporting.live import LiveItem
    from enterprise_catalog.integrated_channels.sync.export import Translation
    from enterprise_catalog.integrated_channels.sync.plan import Idle

#: Number of attempts in a diagnosis.
LATEST_ATTEMPTS: Final = 3
#: Value -> member. A newer version may have stored other values.
_STOP_CAUSES: Final = {cause.value: cause for cause in StopCause}


@dataclass(slots=True)
class Source:
    """The catalog service's responses about one key. Each catalog is asked once."""

    key: str
    catalog: CatalogClient | None  #: ``None`` if the catalog service gave no usable response.
    lookup: ContentLookup | None = None
    documents: dict[UUID, MetadataResponse] = field(default_factory=dict)

    def fetch_document(self, catalog_uuid: UUID) -> MetadataResponse:
        """Return the catalog's document of the item.

        Raises:
            CatalogUnavailableError: the catalog could not be read.
        """
        assert self.catalog is not None  # only a look-up finds catalogs
        if catalog_uuid not in self.documents:
            self.documents[catalog_uuid] = self.catalog.fetch_metadata(catalog_uuid, [self.key])
        return self.documents[catalog_uuid]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows about one item and one configuration."""

    row: ContentMetadataItemTransmission | None
    last_run: SyncRun | None
    attempts: Sequence[TransmissionAttempt]  #: Newest first; at most :data:`LATEST_ATTEMPTS`.
    feed_item: FeedItem | None
    is_running: bool  #: A run has the lease.


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts from which a finding follows."""

    configuration: ChannelConfiguration
    key: str
    rows: Rows
    record: Record | None  #: As the next run reads it.
    lookup: ContentLookup | None  #: ``None`` if the catalog service gave no usable response.
    sent: Sequence[UUID]  #: The catalogs that the configuration sends.
    problem: str  #: The reason why the configuration cannot be used; empty if it can.
    item: DesiredItem | None  #: ``None`` if the item does not belong in the LMS.
    translation: Translation | None  #: ``None`` if the item does not belong in the LMS, or could not be translated.
    step: PlannedItem | Idle | None  #: The next run's step, before the delete limit.
    now: datetime
    live: LiveItem | None = None  #: The LMS's response; ``None`` if it was not asked.

    @property
    def channel_label(self) -> str:
        """The display name of the LMS."""
        channel = CHANNELS.get(self.configuration.channel_code)
        return channel.label if channel else self.configuration.channel_code

    @property
    def state(self) -> State | None:
        """The state of the row, as the next run reads it."""
        return self.record.state if self.record else None

    @property
    def reason(self) -> str:
        """The reason for the row's state."""
        return self.rows.row.reason if self.rows.row else ""

    @property
    def refusal(self) -> str:
        """The reasons why the channel cannot represent the item; empty if it can."""
        refusal = self.translation.refusal if self.translation else None
        return refusal.message if refusal and refusal.outcome is Outcome.REJECTED else ""

    @property
    def is_payload_unchanged(self) -> bool:
        """True if the next run would find that an update has nothing to change in the LMS."""
        row, exported = self.rows.row, self.translation.exported if self.translation else None
        if row is None or exported is None or self.record is None or self.refusal:
            return False
        is_held_there = self.record.state is State.TRANSMITTED and self.record.presence is Presence.PRESENT
        return is_held_there and row.payload_hash == exported.payload_hash

    @property
    def catalogs(self) -> Sequence[LookedUpCatalog]:
        """All catalogs of the customer, as far as known."""
        return self.lookup.catalogs if self.lookup else ()

    @property
    def is_in_catalog(self) -> bool:
        """True if one of the customer's catalogs contains the item, sent or not."""
        return any(catalog.contains for catalog in self.catalogs)

    @property
    def stop_cause(self) -> StopCause | None:
        """The kind of error that ended the last run early."""
        return _STOP_CAUSES.get(self.rows.last_run.stop_cause) if self.rows.last_run else None


def gather(
    configuration: ChannelConfiguration, rows: Rows, source: Source, *, now: datetime, live: LiveItem | None = None
) -> Facts:
    """Return the facts about an item. Reads the catalog service at most once per catalog.

    Raises:
        CatalogUnavailableError: the catalog could not be read.
    """
    record = _record_of_next_run(rows, now)
    sent, problem = _catalogs_sent(configuration, source.lookup)
    item = _desired(record, sent, source)
    translation = None
    if item is not None and source.lookup is not None:
        try:
            with open_channel(configuration) as channel:
                translation = translate(source.key, source.fetch_document(item.catalog_uuid), channel)
        except ConfigurationError as error:
            problem = problem or error.message
    return Facts(
        configuration=configuration,
        key=source.key,
        rows=rows,
        record=record,
        lookup=source.lookup,
        sent=sent,
        problem=problem,
        item=item,
        translation=translation,
        step=step_of(source.key, item, record, now=now),
        now=now,
        live=live,
    )


def read_rows(configurations: Sequence[ChannelConfiguration], key: str, *, now: datetime) -> dict[int, Rows]:
    """Return configuration id -> rows about an item, in seven statements."""
    ids = [configuration.pk for configuration in configurations]
    rows = ContentMetadataItemTransmission.objects.filter(configuration__in=ids).with_keys([key])
    row_of = {row.configuration_id: row for row in rows}
    newest = SyncRun.objects.filter(configuration=OuterRef("pk")).order_by("-started_at", "-pk").values("pk")[:1]
    last_runs = ChannelConfiguration.objects.filter(pk__in=ids).values_list(Subquery(newest), flat=True)
    run_of = {run.configuration_id: run for run in SyncRun.objects.filter(pk__in=list(last_runs))}
    running = set(SyncLease.objects.filter(configuration__in=ids, expires_at__gt=now).values_list("pk", flat=True))
    in_feed = FeedItem.objects.in_bulk([row.pk for row in row_of.values() if row.state == State.STAGED])
    attempts_of = _read_attempts([row.pk for row in row_of.values()])
    return {
        pk: Rows(
            row=row,
            last_run=run_of.get(pk),
            attempts=attempts_of.get(row.pk, ()) if row else (),
            feed_item=in_feed.get(row.pk) if row else None,
            is_running=pk in running,
        )
        for pk in ids
        for row in [row_of.get(pk)]
    }


def _read_attempts(transmissions: Sequence[int]) -> Mapping[int, Sequence[TransmissionAttempt]]:
    """Return transmission id -> its latest attempts, newest first. Finds their ids in an index, without older ones."""
    newest = TransmissionAttempt.objects.filter(transmission=OuterRef("pk")).order_by("-pk").values("pk")
    places = [Subquery(newest[place : place + 1]) for place in range(LATEST_ATTEMPTS)]
    ids = ContentMetadataItemTransmission.objects.filter(pk__in=transmissions).values_list(*places)
    found = TransmissionAttempt.objects.in_bulk([pk for row in ids for pk in row if pk is not None])
    attempts: dict[int, list[TransmissionAttempt]] = defaultdict(list)
    for _, attempt in sorted(found.items(), reverse=True):
        attempts[attempt.transmission_id].append(attempt)
    return attempts


def _record_of_next_run(rows: Rows, now: datetime) -> Record | None:
    """Return the record as the next run reads it: a run that died may have left the item's last attempt in flight."""
    if rows.row is None:
        return None
    record = rows.row.as_record()
    run = rows.last_run
    if rows.is_running or run is None or run.state != RunState.RUNNING:
        return record
    if not (rows.attempts and rows.attempts[0].run_id == run.pk and not rows.attempts[0].outcome):
        return record
    action = Action(rows.attempts[0].action)
    record = replace(
        record, state=State.IN_DOUBT, action=action, next_attempt_at=None, due_since=record.due_since or now
    )
    return replace(record, presence=Presence.UNKNOWN, is_deleted=False) if action is Action.CREATE else record


def _catalogs_sent(configuration: ChannelConfiguration, lookup: ContentLookup | None) -> tuple[Sequence[UUID], str]:
    """Return the catalogs that the configuration sends, ascending, and the problem of its list."""
    if lookup is None:
        return (), ""
    try:
        return catalogs_to_send(configuration, sorted(catalog.uuid for catalog in lookup.catalogs)), ""
    except ConfigurationError as error:
        return (), error.message


def _desired(record: Record | None, sent: Sequence[UUID], source: Source) -> DesiredItem | None:
    """Return the item as the next run's diff returns it; ``None`` if it does not belong in the LMS."""
    if source.lookup is None:
        return _desired_as_last_seen(record)
    holders = {catalog.uuid for catalog in source.lookup.catalogs if catalog.contains}
    containing = [uuid for uuid in sent if uuid in holders]
    if not containing:
        return None
    if record is None or record.is_deleted:
        return DesiredItem(containing[0], None)
    catalog_uuid = record.catalog_uuid if record.catalog_uuid in containing else containing[0]
    assert catalog_uuid is not None  # for mypy: it is in ``containing``
    document = source.fetch_document(catalog_uuid)
    if source.key in document.missing:  # It left the catalog since the look-up.
        return None
    unreadable = document.unreadable.get(source.key)
    return DesiredItem(catalog_uuid, unreadable.updated_at if unreadable else document.items[source.key].updated_at)


def _desired_as_last_seen(record: Record | None) -> DesiredItem | None:
    """Return the item as the last run saw it. Used while the catalog service gives no usable response."""
    if record is None or record.is_deleted or record.action is Action.DELETE:
        return None
    # An adopted item has no catalog yet. It is only compared with the record's own.
    catalog_uuid = cast("UUID", record.catalog_uuid)
    return DesiredItem(catalog_uuid, record.attempted_updated_at or record.content_updated_at)
