"""The frozen values that travel through a run. No Django, no HTTP, no clock."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from uuid import UUID

#: What a channel sends for one item: JSON in the LMS's own words.
Payload = dict[str, Any]

#: Of an ETag that is remembered, in characters.
MAX_ETAG_LENGTH: Final = 255


class Action(StrEnum):
    """What is done to an item at the LMS."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class State(StrEnum):
    """Where a transmission stands; drawn in docs/concepts/delivery.rst."""

    PENDING = "pending"  #: Planned, not sent yet.
    IN_DOUBT = "in_doubt"  #: Sent by a run that died before it heard the answer.
    STAGED = "staged"  #: In the feed of a channel that is pulled; the LMS has not proven yet that it has it.
    TRANSMITTED = "transmitted"  #: The LMS holds the version that the row names.
    RETRYING = "retrying"  #: Failed for a reason that may pass; next attempt at ``next_attempt_at``.
    REJECTED = "rejected"  #: Refused, by us or by the LMS; tried again when the content changes, and once a day.
    DEAD_LETTER = "dead_letter"  #: Failed too often; tried again when the content changes, or a person says so.
    HELD = "held"  #: Left the catalogs with too many others; its delete waits for a person's approval.
    KEPT = "kept"  #: Left the catalogs; a person decided that it stays at the LMS.
    DELETED = "deleted"  #: Removed at the LMS, or never there.


class Presence(StrEnum):
    """Whether the LMS offers the item to learners, as far as we know."""

    ABSENT = "absent"
    PRESENT = "present"
    UNKNOWN = "unknown"  #: A create was sent whose answer we do not have; only a look-up can tell.


class Outcome(StrEnum):
    """How an attempt, or an item of a run, ended."""

    DONE = "done"
    STAGED = "staged"  #: Put into the feed of a channel that is pulled.
    UNCHANGED = "unchanged"  #: The content changed, the payload did not; nothing was sent.
    WITHDRAWN = "withdrawn"  #: Left the catalog before it was ever sent; nothing was sent.
    RETRY = "retry"  #: Failed for a reason that may pass.
    REJECTED = "rejected"  #: Refused, by us or by the LMS.
    GONE = "gone"  #: The LMS no longer has what was to be changed; the engine turns this into done or a create.
    SKIPPED = "skipped"  #: Not sent, since the run had to stop.
    THROTTLED = "throttled"  #: Not taken, since the LMS has too many calls to answer; the run ends.
    IN_DOUBT = "in_doubt"  #: The run died before it heard the answer.


#: Outcomes after which the LMS does not hold what it should.
FAILURES = frozenset({Outcome.RETRY, Outcome.REJECTED, Outcome.SKIPPED, Outcome.THROTTLED, Outcome.IN_DOUBT})


@dataclass(frozen=True, slots=True)
class CourseRun:
    """One run of a course, as far as the catalog tells; times are aware."""

    start: datetime | None = None
    end: datetime | None = None
    is_enrollable: bool | None = None
    pacing: str = ""  #: ``self_paced`` or ``instructor_paced``.
    language: str = ""  #: Such as ``en-us``.
    min_effort_hours: float | None = None  #: A week.
    max_effort_hours: float | None = None
    weeks: float | None = None
    estimated_hours: float | None = None  #: In all.


@dataclass(frozen=True, slots=True)
class ContentItem:
    """One piece of content as the catalog serves it, with the fields that channels translate."""

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
    start: datetime | None = None  #: Of course runs; aware.
    end: datetime | None = None
    languages: tuple[str, ...] = ()  #: Names, such as ``English``.
    subjects: tuple[str, ...] = ()  #: Names, such as ``Computer Science``.
    skills: tuple[str, ...] = ()  #: Names, such as ``Python (Programming Language)``.
    level: str = ""  #: Such as ``Introductory``.
    video_url: str = ""
    price_usd: float | None = None
    is_available: bool = True  #: Whether learners can enrol in one of its runs, or soon will.
    run: CourseRun | None = None  #: Of courses, the run that is advertised, or the latest; of course runs, itself.


@dataclass(frozen=True, slots=True)
class DesiredItem:
    """That an item belongs in the LMS, according to one of the configuration's catalogs."""

    catalog_uuid: UUID
    updated_at: datetime | None  #: When it last changed; ``None`` if the catalog only said that it is new to us.


@dataclass(frozen=True, slots=True)
class Desired:
    """What belongs in the LMS: the union of a configuration's catalogs. Each item is in one of the first two."""

    matched: dict[str, UUID]  #: Content key -> catalog, of what is settled in its newest version.
    items: dict[str, DesiredItem]  #: All others, by content key.
    versions: dict[UUID, str]  #: Catalog -> its version, for each of the catalogs.

    def __contains__(self, content_key: str) -> bool:
        """Return whether an item belongs in the LMS."""
        return content_key in self.matched or content_key in self.items

    def catalog_of(self, content_key: str) -> UUID:
        """Return the catalog that a desired item is taken from."""
        return self.matched.get(content_key) or self.items[content_key].catalog_uuid


@dataclass(frozen=True, slots=True)
class Record:
    """What the audit knows of one item: the part of its transmission row that planning needs."""

    content_key: str
    state: State
    action: Action
    presence: Presence
    catalog_uuid: UUID | None
    content_updated_at: datetime | None  #: The version that the LMS holds.
    attempted_updated_at: datetime | None  #: The version that was last tried.
    next_attempt_at: datetime | None
    is_deleted: bool
    failures: int = 0  #: In a row, since the last success or change of what is to be sent.
    halvings: int = 0  #: Of the calls that carried it and others, since the last outcome of its own.
    due_since: datetime | None = None  #: Since when the LMS should hold otherwise than it does; ``None`` if not known.
    #: Whether the LMS is known to show what it was last sent; a call that was refused, and not settled before its run
    #: stopped, may have been carried out all the same.
    is_payload_known: bool = True

    @classmethod
    def of_settled(cls, content_key: str, catalog_uuid: UUID | None, version: datetime | None) -> Self:
        """Return the record of an item that the LMS holds, and of which nothing is due."""
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
    def is_never_sent(self) -> bool:
        """Whether no call can have put the item into the LMS."""
        return self.presence is Presence.ABSENT and self.content_updated_at is None

    def has_version_of(self, item: DesiredItem) -> bool:
        """Return whether it was last sent in the newest version, from the catalog that it is taken from now."""
        return self.content_updated_at == item.updated_at and self.catalog_uuid == item.catalog_uuid

    def is_staged_as(self, item: DesiredItem) -> bool:
        """Return whether the feed holds the item's newest version, from the catalog that it is taken from now."""
        is_staged = self.state is State.STAGED and self.action is not Action.DELETE
        return is_staged and (self.attempted_updated_at, self.catalog_uuid) == (item.updated_at, item.catalog_uuid)

    def holds(self, item: DesiredItem) -> bool:
        """Return whether the LMS has the item as it should be, as far as we know."""
        is_sent = self.state is State.TRANSMITTED and self.action is not Action.DELETE
        return is_sent and self.presence is Presence.PRESENT and self.has_version_of(item)


@dataclass(frozen=True, slots=True)
class History:
    """What the audit knows of all items of a configuration.

    In most runs nearly all are settled and unchanged: these are compared as what was read, and become no objects.
    """

    #: Catalog -> content key -> version as the catalog writes it, of what the LMS holds and of which nothing is due.
    settled: Mapping[UUID | None, Mapping[str, str | None]]
    records: Mapping[str, Record]  #: Content key -> what is known of any other item, deleted ones included.

    def live_keys(self) -> list[str]:
        """Return the keys of all items that are not deleted."""
        unsettled = (key for key, record in self.records.items() if not record.is_deleted)
        return [*chain.from_iterable(self.settled.values()), *unsettled]

    def records_but_of(self, matched: Container[str]) -> dict[str, Record]:
        """Return the records of all items but those that ``matched`` has, by content key."""
        moment_of = functools.cache(datetime.fromisoformat)  # Many items share the same one.
        settled = {
            key: Record.of_settled(key, catalog_uuid, moment_of(version) if version else None)
            for catalog_uuid, versions in self.settled.items()
            for key, version in versions.items()
            if key not in matched
        }
        return settled | dict(self.records)


@dataclass(frozen=True, slots=True)
class Accounts:
    """What an LMS should hold otherwise than it does; times are those since which it should."""

    pending: int  #: Items that wait for their turn.
    oldest_pending_since: datetime | None
    failing: int  #: Items whose last attempt failed, dead letters included.
    oldest_failing_since: datetime | None


@dataclass(frozen=True, slots=True)
class DeleteLimit:
    """The most that one run may delete without approval."""

    items: int
    percent: int  #: Of what the LMS has, from 0 to 100.

    def is_exceeded(self, deletes: int, *, of: int) -> bool:
        """Return whether ``deletes`` of the ``of`` items at the LMS need approval.

        They do if they exceed the share, and also exceed the number of items or half of what the LMS has. The number
        alone would let a small catalog be emptied: 50 of 50.
        """
        is_many = deletes > self.items or deletes * 2 > of
        return is_many and deletes * 100 > self.percent * of


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """One thing to do, and why."""

    content_key: str
    action: Action
    reason: str
    catalog_uuid: UUID | None = None  #: Where its metadata comes from; ``None`` for deletes.
    is_known: bool = True  #: Whether it has a transmission row already.
    halvings: int = 0  #: How often the number of those that share a call with it is halved.
    since: datetime | None = None  #: When it became due, if an earlier run found it so; ``None`` means just now.


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """All that would make the LMS equal to the catalogs."""

    deletes: list[PlannedItem]
    creates: list[PlannedItem]
    updates: list[PlannedItem]
    withdrawn: list[str]  #: Keys that left the catalogs before they were ever sent.
    matched: int  #: Items that the LMS holds as they should be.
    waiting: int  #: Items that failed and whose next attempt is not due yet.
    dead: int  #: Items that failed too often to be tried again by themselves.
    held: list[str] = field(default_factory=list)  #: Keys whose deletes are too many; they wait for approval.
    released: list[str] = field(default_factory=list)  #: Keys of deletes that were held, and are no longer too many.
    kept: int = 0  #: Items that left, and that stay at the LMS by a person's decision.
    staged: int = 0  #: Items that the feed holds as they should be, and that the LMS has not fetched yet.
    back: list[str] = field(default_factory=list)  #: Keys that were due, and are again as the LMS has them.

    @property
    def desired(self) -> int:
        """How many items the catalogs have, but for those that wait, are staged or are dead letters."""
        return self.matched + len(self.back) + len(self.creates) + len(self.updates)

    @property
    def size(self) -> int:
        """How many items there are to send."""
        return len(self.deletes) + len(self.creates) + len(self.updates)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many calls an LMS takes in a window of time that begins with the first of them."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Chunk:
    """Items that are sent together; all of one action, unless the LMS takes several in one call."""

    items: tuple[PlannedItem, ...]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One item on its way to the LMS."""

    content_key: str
    payload: Payload  #: Empty for deletes.
    remote_id: str = ""  #: The LMS's own id, where we know it.
    may_be_there: bool = True  #: Whether an earlier call of ours can have put it there.
    action: Action = Action.CREATE
    title: str = ""  #: For people, and for deletes that have to name what they take away.


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """What an LMS has under a key that can be ours."""

    content_key: str
    remote_id: str
    is_offered: bool  #: Whether learners see it.
    title: str = ""
    #: Fields of a payload, as ``transform`` names and writes them, as far as the LMS tells them.
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exported:
    """What is known of one item of a chunk once its metadata was fetched, whether or not it can be sent."""

    title: str = ""  #: For people.
    updated_at: datetime | None = None  #: The version that the metadata is of.
    payload_hash: str = ""  #: Empty if it could not be translated.


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one item."""

    content_key: str
    outcome: Outcome
    remote_id: str = ""  #: The LMS's own id, where this call told it.
    status_code: int | None = None  #: HTTP; ``None`` when nothing was sent or nothing came back.
    vendor_code: str = ""  #: The LMS's own word for the error.
    message: str = ""  #: A sentence for people, without secrets.
    retry_after_seconds: float | None = None
    may_have_been_created: bool = False  #: Whether a call was begun that creates it, or shows it again.
    #: How many calls that carried it and others were refused, or not to be finished for now. They are worth remembering
    #: where it has no outcome of its own.
    halvings: int = 0


@dataclass(slots=True)
class RunCounts:
    """What a run did: action -> outcome -> number of items."""

    by_action: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, action: Action, outcome: Outcome, number: int = 1) -> None:
        """Count ``number`` more items."""
        outcomes = self.by_action.setdefault(action.value, {})
        outcomes[outcome.value] = outcomes.get(outcome.value, 0) + number

    @property
    def failures(self) -> int:
        """How many items ended otherwise than they should."""
        return sum(n for outcomes in self.by_action.values() for o, n in outcomes.items() if Outcome(o) in FAILURES)

    def as_json(self) -> Mapping[str, Mapping[str, int]]:
        """Return ``{"create": {"done": 3}}``, actions and outcomes that did not occur left out."""
        return self.by_action
