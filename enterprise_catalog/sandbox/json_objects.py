"""The types of JSON objects that several sandboxes or the demonstration read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: An object with any members: a stored document, or the body of a request.
JSONObject: TypeAlias = dict[str, Any]


class Announcement(TypedDict):
    """The line that ``run_sandbox`` prints when a sandbox is ready."""

    url: str
    credentials: Mapping[str, str]
    service: NotRequired[str]  #: Only of a service; the following are only of a channel.
    channel: NotRequired[str]
    settings: NotRequired[Mapping[str, object]]
    polls: NotRequired[bool]


class SyncReport(TypedDict):
    """The part of a report of ``sync_channels --json`` that the sandbox reads."""

    state: str
    reason: str
    backlog: int
    counts: Mapping[str, Mapping[str, int]]  #: Action -> outcome -> number of items.


class RefreshReport(TypedDict):
    """The part of a report of ``refresh_catalogs --json`` that the sandbox reads."""

    state: str
    reason: str
    found: int
    added: int
    changed: int
    removed: int
    left_out: int
    items: Mapping[str, Sequence[str]]  #: Action -> content keys; only of a dry run.


class PollReport(TypedDict):
    """The response to a poll of a sandbox that polls our feed."""

    read: int  #: Number of courses in the feed.
    taken: int  #: Number of courses stored.
    refused: Sequence[tuple[str, str]]  #: ID and reason of each rejected course.
