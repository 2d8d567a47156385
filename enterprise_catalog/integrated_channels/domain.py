"""Frozen values that a run passes from step to step. No Django, no HTTP, no clock."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from uuid import UUID

#: A JSON object whose members are known only at run time.
JSONObject: TypeAlias = dict[str, Any]
#: One item in the LMS's schema.
Payload: TypeAlias = JSONObject

#: Maximum length of a stored ETag, in characters.
MAX_ETAG_LENGTH: Final = 255


class Action(StrEnum):
    """The actions on an item in the LMS."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class State(StrEnum):
    """The state of a transmission; docs/concepts/delivery.rst draws the transitions."""

    PENDING = "pending"  #: Planned, not sent yet.
    IN_DOUBT = "in_doubt"  #: Sent, but the run died before the LMS responded.
    STAGED = "staged"  #: In the feed of a pull channel; the LMS has not acknowledged it yet.
    TRANSMITTED = "transmitted"  #: The LMS has the version in ``content_updated_at``.
    RETRYING = "retrying"  #: Failed for a temporary reason; next attempt at ``next_attempt_at``.
    REJECTED = "rejected"  #: Rejected by the channel or the LMS; retried on new content, and daily, later yearly.
    DEAD_LETTER = "dead_letter"  #: Failed too often; retried when the content changes, or on an operator's request.
    HELD = "held"  #: Left the catalogs with too many others; its delete waits for an operator's approval.
    KEPT = "kept"  #: Left the catalogs; an operator decided that it stays in the LMS.
    DELETED = "deleted"  #: Removed from the LMS, or never sent.


class Presence(StrEnum):
    """Presence of the item in the LMS, as far as known: learners see it, or do not see it."""

    ABSENT = "absent"
    PRESENT = "present"
    UNKNOWN = "unknown"  #: A create was sent and its result is unknown; a look-up is needed.


class Outcome(StrEnum):
    """The result of an attempt, or of an item in a run."""

    DONE = "done"
    STAGED = "staged"  #: Put into the feed of a pull channel.
    UNCHANGED = "unchanged"  #: The content changed, but the payload did not; nothing was sent.
    WITHDRAWN = "withdrawn"  #: Left the catalogs before it was ever sent; nothing was sent.
    RETRY = "retry"  #: Failed for a temporary reason.
    REJECTED = "rejected"  #: Rejected by the channel or the LMS.
    GONE = "gone"  #: The LMS no longer has the item; the engine turns this into done or a create.
    SKIPPED = "skipped"  #: Not sent, because the run had to stop.
    THROTTLED = "throttled"  #: Not accepted, because of a rate limit; the run ends.
    IN_DOUBT = "in_doubt"  #: The run died before the LMS responded.


#: Outcomes after which the item in the LMS is not as it should be.
FAILURES = frozenset({Outcome.RETRY, Outcome.REJECTED, Outcome.SKIPPED, Outcome.THROTTLED, Outcome.IN_DOUBT})


@dataclass(frozen=True, slots=True)
class CourseRun:
    """One run of a course, as given by the catalog. Times are aware."""

    start: datetime | None = None
    end: datetime | None = None
    is_enrollable: bool | None = None
    pacing: str = ""  #: ``self_paced`` or ``instructor_paced``.
    language: str = ""  #: Such as ``en-us``.
    min_effort_hours: float | None = None  #: Hours per week.
    max_effort_hours: float | None = None
    weeks: float | None = None
    estimated_hours: float | None = None  #: In total.


@dataclass(frozen=True, slots=True)
class ContentItem:
    """One content item from the catalog, with the fields that channels translate."""

    content_key: str
    content_type: str  #: course, courserun, program or learnerpathway
    updated_at: datetime
    title: str = ""
    short_description: str = ""
    full_description: str = ""
    enrollment_url: str = ""  #: Empty for programs and pathways.
    marketing_url: str = ""
    image_url: str = ""
    organizations: tuple[str, ...] = ()  #: Names, such as ``Northwind Institute``.
    course_type: str = ""
    start: datetime | None = None  #: Course runs only; aware.
    end: datetime | None = None
    languages: tuple[str, ...] = ()  #: Names, such as ``English``.
    subjects: tuple[str, ...] = ()  #: Names, such as ``Computer Science``.
    skills: tuple[str, ...] = ()  #: Names, such as ``Python (Programming Language)``.
    level: str = ""  #: Such as ``Introductory``.
    video_url: str = ""
    price_usd: float | None = None
    is_available: bool = True  #: Learners can enroll in one of its runs now or soon.
    run: CourseRun | None = None  #: A course's advertised or latest run; for a course run, itself.


@dataclass(frozen=True, slots=True)
class DesiredItem:
    """An item that belongs in the LMS, according to one of the configuration's catalogs."""

    catalog_uuid: UUID
    updated_at: datetime | None  #: Time of the last change; ``None`` if the item is new.


@dataclass(frozen=True, slots=True)
class Desired:
    """The items that belong in the LMS: the union of a configuration's catalogs.

    Each item is either in ``matched`` or in ``items``.
    """

    matched: dict[str, UUID]  #: Content key -> catalog, for items settled in their newest version.
    items: dict[str, DesiredItem]  #: All others, by content key.
    versions: dict[UUID, str]  #: Catalog -> version, for all catalogs.

    def __contains__(self, content_key: str) -> bool:
        """Return True if the item belongs in the LMS."""
        return content_key in self.matched or content_key in self.items

    def catalog_of(self, content_key: str) -> UUID:
        """Return the catalog that supplies a desired item."""
        return self.matched.get(content_key) or self.items[content_key].catalog_uuid


@dataclass(frozen=True, slots=True)
class Record:
    """The part of an item's transmission row that planning needs."""

    content_key: str
    state: State
    action: Action
    presence: Presence
    catalog_uuid: UUID | None
    content_updated_at: datetime | None  #: The version that the LMS has.
    attempted_updated_at: datetime | None  #: The version of the last attempt.
    next_attempt_at: datetime | None
    is_deleted: bool
    failures: int = 0  #: In a row, since the last success or change of the task.
    split_level: int = 0  #: Number of splits since the item last had a result of its own.
    due_since: datetime | None = None  #: When the LMS fell out of date for this item; ``None`` if unknown.
    #: True if the LMS is known to have the payload that it was last sent. A rejected call that was not settled before
    #: its run stopped may still have been applied.
    is_payload_known: bool = True

    @classmethod
    def of_settled(cls, content_key: str, catalog_uuid: UUID | None, version: datetime | None) -> Self:
        """Return the record of an item that the LMS has and that is not due."""
        return cls(
            content_key,
            State.TRANSMITTED,
            Action.UPDATE,
            Presence.PRESENT,
            catalog_uuid,
            version,
            version,
            None,
            is_deleted=False,
        )

    @property
    def is_settled(self) -> bool:
        """True if the LMS has the item in the version and from the catalog of the row, and nothing is due."""
        return self.state is State.TRANSMITTED and self.due_since is None

    @property
    def is_settled_as_deleted(self) -> bool:
        """True if the item belonged in no catalog when a run last planned, and nothing is due."""
        return self.state is State.DELETED and self.is_deleted and self.due_since is None

    @property
    def is_planned(self) -> bool:
        """True if a run planned to create the item, and no run has tried it.

        Every run that stores versions of the catalogs withdraws such items, or marks the catalog that has them now. So
        the item was in ``catalog_uuid`` at these versions.
        """
        is_create = (self.state, self.action, self.presence) == (State.PENDING, Action.CREATE, Presence.ABSENT)
        versions_and_times = (self.content_updated_at, self.attempted_updated_at, self.next_attempt_at)
        is_untried = not (self.failures or self.split_level or self.is_deleted) and not any(versions_and_times)
        return is_create and is_untried and self.catalog_uuid is not None and self.due_since is not None

    @property
    def is_never_sent(self) -> bool:
        """True if no call can have created the item in the LMS."""
        return self.presence is Presence.ABSENT and self.content_updated_at is None

    def as_in_history(self) -> Record:
        """Return the record as :class:`History` has it: of a settled item, only what planning needs."""
        if not self.is_settled:
            return self
        return Record.of_settled(self.content_key, self.catalog_uuid, self.content_updated_at)

    def has_version_of(self, item: DesiredItem) -> bool:
        """Return True if the newest version was sent last, from the catalog that supplies the item now."""
        return self.content_updated_at == item.updated_at and self.catalog_uuid == item.catalog_uuid

    def is_staged_as(self, item: DesiredItem) -> bool:
        """Return True if the feed contains the item's newest version, from the catalog that supplies it now."""
        is_staged = self.state is State.STAGED and self.action is not Action.DELETE
        return is_staged and (self.attempted_updated_at, self.catalog_uuid) == (item.updated_at, item.catalog_uuid)

    def holds(self, item: DesiredItem) -> bool:
        """Return True if the LMS has the item as it should be, according to the row."""
        is_sent = self.state is State.TRANSMITTED and self.action is not Action.DELETE
        return is_sent and self.presence is Presence.PRESENT and self.has_version_of(item)


@dataclass(frozen=True, slots=True)
class History:
    """The audit records of all items of a configuration.

    In most runs nearly all items are settled and unchanged. They are compared in the form in which they were read,
    without creating objects.
    """

    #: Catalog -> content key -> version as text, for items that the LMS has and that are not due.
    settled: Mapping[UUID | None, Mapping[str, str | None]]
    records: Mapping[str, Record]  #: Content key -> record, for all other items, including deleted ones.

    def live_keys(self) -> list[str]:
        """Return the keys of all items that are not deleted."""
        unsettled = (key for key, record in self.records.items() if not record.is_deleted)
        return [*chain.from_iterable(self.settled.values()), *unsettled]

    def records_but_of(self, matched: Container[str]) -> dict[str, Record]:
        """Return content key -> record, for all items that are not in ``matched``."""
        moment_of = functools.cache(datetime.fromisoformat)  # Many items share the same time.
        settled = {
            key: Record.of_settled(key, catalog_uuid, moment_of(version) if version else None)
            for catalog_uuid, versions in self.settled.items()
            for key, version in versions.items()
            if key not in matched
        }
        return settled | dict(self.records)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Numbers of due items, and since when the oldest is due."""

    pending: int  #: Items that are waiting to be sent.
    oldest_pending_since: datetime | None
    failing: int  #: Items whose last attempt failed, dead letters included.
    oldest_failing_since: datetime | None


@dataclass(frozen=True, slots=True)
class DeleteLimit:
    """The maximum number of deletes per run without approval."""

    items: int
    percent: int  #: Share of the items in the LMS, from 0 to 100.

    def is_exceeded(self, deletes: int, *, of: int) -> bool:
        """Return True if ``deletes`` of the ``of`` items in the LMS need approval.

        They need approval if they exceed the share, and also exceed either the number of items or half of the items in
        the LMS. The number alone would allow a small catalog to be emptied: 50 of 50.
        """
        is_many = deletes > self.items or deletes * 2 > of
        return is_many and deletes * 100 > self.percent * of


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """One action to carry out, and its reason."""

    content_key: str
    action: Action
    reason: str
    catalog_uuid: UUID | None = None  #: Source of the metadata; ``None`` for deletes.
    is_known: bool = True  #: True if the item already has a transmission row.
    split_level: int = 0  #: Number of times that the size of its chunk is halved.
    since: datetime | None = None  #: Due since, if an earlier run found it due; ``None`` means now.


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """All actions that would make the LMS equal to the catalogs."""

    deletes: list[PlannedItem]
    creates: list[PlannedItem]
    updates: list[PlannedItem]
    withdrawn: list[str]  #: Keys of items that left the catalogs before they were ever sent.
    matched: int  #: Items that the LMS has as they should be.
    waiting: int  #: Failed items whose next attempt is not due yet.
    dead: int  #: Items that failed too often to be retried automatically.
    held: list[str] = field(default_factory=list)  #: Keys of deletes that exceed the limit and wait for approval.
    released: list[str] = field(default_factory=list)  #: Keys of held deletes that no longer exceed the limit.
    kept: int = 0  #: Items that left the catalogs, and that an operator decided to keep.
    staged: int = 0  #: Items in the feed as they should be, not fetched by the LMS yet.
    back: list[str] = field(default_factory=list)  #: Keys of due items that match the LMS again.
    #: Creates of planned items that another catalog supplies now.
    moved: list[PlannedItem] = field(default_factory=list)
    postponed: int = 0  #: Further planned items to create, which wait longer than all in ``creates``.

    @property
    def desired(self) -> int:
        """Number of items in the catalogs, without items that are waiting, staged or dead letters."""
        return self.matched + len(self.back) + len(self.creates) + len(self.updates) + self.postponed

    @property
    def size(self) -> int:
        """Number of items to send."""
        return len(self.deletes) + len(self.creates) + len(self.updates) + self.postponed


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Number of calls that an LMS accepts in a time window. The window begins with its first call."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Chunk:
    """Items that are sent together. All have the same action, unless the LMS accepts several actions in one call."""

    items: tuple[PlannedItem, ...]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One item to be sent to the LMS."""

    content_key: str
    payload: Payload  #: Empty for deletes.
    remote_id: str = ""  #: The LMS's own id; empty if unknown.
    may_be_there: bool = True  #: True if an earlier call can have created it.
    action: Action = Action.CREATE
    title: str = ""  #: For people, and for LMSs whose deletes need a title.


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """An item in an LMS whose key may be a content key."""

    content_key: str
    remote_id: str
    is_offered: bool  #: True if learners see it.
    title: str = ""
    #: Fields of a payload, in the format of ``transform``, as far as the LMS returns them.
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exported:
    """Metadata of one item in a chunk, even if the item cannot be sent."""

    title: str = ""  #: For people.
    updated_at: datetime | None = None  #: Version of the metadata.
    payload_hash: str = ""  #: Empty if it could not be translated.
    packed: bytes = b""  #: The payload in the form in which it is stored; empty if it could not be translated.


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The result of one item."""

    content_key: str
    outcome: Outcome
    remote_id: str = ""  #: The LMS's own id, if this call returned it.
    status_code: int | None = None  #: HTTP status; ``None`` if nothing was sent or there was no response.
    vendor_code: str = ""  #: The LMS's own error code.
    message: str = ""  #: A sentence for people, without secrets.
    retry_after_seconds: float | None = None
    may_have_been_created: bool = False  #: A call was started that creates it or shows it again.
    #: Number of calls with this and other items that were rejected, or cut short by the call budget. Stored while the
    #: item has no result of its own.
    splits: int = 0


@dataclass(slots=True)
class RunCounts:
    """Results of a run: action -> outcome -> number of items."""

    by_action: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, action: Action, outcome: Outcome, number: int = 1) -> None:
        """Add ``number`` items to the count."""
        outcomes = self.by_action.setdefault(action.value, {})
        outcomes[outcome.value] = outcomes.get(outcome.value, 0) + number

    @property
    def failures(self) -> int:
        """Number of items with an outcome in :data:`FAILURES`."""
        return sum(n for outcomes in self.by_action.values() for o, n in outcomes.items() if Outcome(o) in FAILURES)

    def as_json(self) -> Mapping[str, Mapping[str, int]]:
        """Return ``{"create": {"done": 3}}``, without actions and outcomes that did not occur."""
        return self.by_action
