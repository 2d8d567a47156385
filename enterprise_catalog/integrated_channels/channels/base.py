"""What a channel is: it translates content items into one LMS's words and makes its calls. The engine does all else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from enterprise_catalog.integrated_channels.channels.duplicates import Duplicates, duplicates_among

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.http import LMSClient
    from enterprise_catalog.integrated_channels.types import (
        ContentItem,
        ItemResult,
        Outgoing,
        Payload,
        RateLimit,
        RemoteItem,
    )

#: Stores, before it returns, what the LMS gave in the place of some of a configuration's credentials: field -> value.
SaveCredentials = Callable[[Mapping[str, str]], None]


class ChannelSettings(BaseModel):
    """Base of a channel's settings and credentials: strict about names, silent about values in its errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class FeedCredentials(ChannelSettings):
    """How an LMS that comes to us shows who it is: with HTTP Basic, or as an OAuth 2 client."""

    username: str = Field(min_length=1, description="The user name, or client id, that the learning system shows us.")
    password: SecretStr = Field(description="Its password, or client secret.")


S = TypeVar("S", bound=ChannelSettings)
C = TypeVar("C", bound=ChannelSettings)


#: Reports several items of the LMS that have one content key.
NoteDuplicates = Callable[[Duplicates], None]


def _keep_nothing(_: Mapping[str, str]) -> None:
    """Save no credentials: for channels whose LMS never changes them."""


def _note_nothing(_: Duplicates) -> None:
    """Report no duplicates."""


class Channel(ABC, Generic[S, C]):
    """One LMS that content metadata is brought to. Subclass one of the three kinds below.

    A subclass declares the class attributes and implements the methods. It never touches the database, never retries,
    never catches to go on, never logs and never reads the clock: the engine does all that. Every method that sends is
    safe to repeat with the same arguments.

    The methods that send return one result per item, in any order. What they raise holds for all items of the call, so
    that a call which changes the LMS should be one request. With ``parallel_calls`` above 1 they are called from
    several threads at once. They raise

    * ``RejectedError`` when the LMS refused the call as a whole because of at least one item, and nothing of it was
      done; the engine then sends the halves by themselves until it has the culprit,
    * ``RetryableError`` when the call may work later and it is not known whether it was applied,
    * ``StopSyncError`` when nothing else of this run will work; ``ThrottledError`` when the LMS wants fewer calls.
    """

    code: ClassVar[str]  #: Stored in rows; never change it once released.
    label: ClassVar[str]  #: For people.
    settings_class: ClassVar[type[ChannelSettings]]  #: This and the next one are the parameters of the kind.
    credentials_class: ClassVar[type[ChannelSettings]]  #: Its ``SecretStr`` fields are kept out of every message.

    items_per_call: int  #: The most items that one call takes; an instance may take fewer, if its settings say so.
    is_atomic: ClassVar[bool] = False  #: Whether a call with several items is done as a whole or not at all.
    max_key_length: ClassVar[int]  #: In characters, of our content keys; longer ones are for ``transform`` to refuse.
    #: How many calls may be under way at the same time, each in a thread of its own.
    parallel_calls: int = 1
    #: How many calls the LMS takes in a window of time, counted across all workers; ``None`` for as many as we like.
    rate_limit: RateLimit | None = None
    can_list: ClassVar[bool] = False  #: Whether :meth:`list_items` is there, which tells what the LMS has.

    def __init_subclass__(cls) -> None:
        """Say once what is known already: ``PushChannel[S, C]`` names the classes of settings and credentials."""
        super().__init_subclass__()
        for base in cls.__dict__.get("__orig_bases__", ()):
            match get_args(base):
                case (type() as settings, type() as credentials):
                    cls.settings_class, cls.credentials_class = settings, credentials
        cls.can_list = cls.list_items is not Channel.list_items

    def __init__(self, client: LMSClient, settings: S, credentials: C) -> None:
        self.client = client
        self.settings = settings
        self.credentials = credentials
        self.save_credentials: SaveCredentials = _keep_nothing  #: The engine sets it.
        self.note_duplicates: NoteDuplicates = _note_nothing  #: The engine sets it.
        self.prepare()

    def prepare(self) -> None:
        """Take from client, settings and credentials what the calls need. Nothing is sent yet.

        Raises:
            ConfigurationError: settings or credentials are missing.
        """

    @abstractmethod
    def transform(self, item: ContentItem) -> Payload:
        """Return ``item`` in this LMS's schema. Pure; equal items give equal payloads.

        Raises:
            RejectedError: the LMS has no way to hold the item; the message tells people all that stands in its way.
        """

    @abstractmethod
    def probe(self) -> Sequence[str]:
        """Try the connection without changing anything, and return what has to be mended, a sentence for each.

        Raises:
            SyncError: the LMS cannot be reached or refuses us, which says it already.
        """

    def list_items(self) -> Iterator[RemoteItem]:
        """Yield everything that the LMS has under keys that can be ours, hidden or not, in no order.

        Raises:
            NotImplementedError: unless ``can_list``.
        """
        raise NotImplementedError(f"{self.label} cannot be asked what it has.")


class PushChannel(Channel[S, C]):
    """An LMS with a call for each action. Each is called with at most ``items_per_call`` items of one action."""

    @abstractmethod
    def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Return the LMS's own id of each of ``keys`` that it holds, hidden ones included; keys compared exactly.

        Where several items have one key, :meth:`chosen` decides.
        """

    def chosen(self, key: str, remote_ids: Collection[str]) -> str | None:
        """Return which of the LMS's items with ``key`` is ours: the oldest; report the others.

        Args:
            remote_ids: the LMS's own ids of all items with this key; without any, ``None`` is returned.
        """
        if not remote_ids:
            return None
        if duplicates := duplicates_among(key, remote_ids):
            self.note_duplicates(duplicates)
            return duplicates.used
        return next(iter(remote_ids))

    @abstractmethod
    def create(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Create items; results carry the LMS's own ids.

        Either :meth:`find` just did not find them, or no call of ours can have put them there. Of a key that the LMS
        has already it must never make a second item: the LMS refuses it, or overwrites what it has. A result that says
        ``REJECTED`` is final; where the reason may be that the LMS has the key, raise instead, or say ``RETRY``.
        """

    @abstractmethod
    def update(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Make items (with ``remote_id``) what their payloads say, and show them to learners again if they were not.

        An item that the LMS no longer has is ``GONE``.
        """

    @abstractmethod
    def delete(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Take items (with ``remote_id``) away from learners. An item that the LMS no longer has is ``GONE``."""


class OneByOneChannel(PushChannel[S, C]):
    """A push channel whose LMS takes one item a call; all that it adds is that lists of one item are not spelt out."""

    items_per_call = 1

    @abstractmethod
    def find_item(self, key: str) -> str | None:
        """Return the LMS's own id of the item under ``key``, hidden or not, compared exactly; ``None`` without one."""

    @abstractmethod
    def create_item(self, item: Outgoing) -> ItemResult:
        """Create the item, as :meth:`create` does."""

    @abstractmethod
    def update_item(self, item: Outgoing) -> ItemResult:
        """Update the item, as :meth:`update` does."""

    @abstractmethod
    def delete_item(self, item: Outgoing) -> ItemResult:
        """Take the item away from learners, as :meth:`delete` does."""

    def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {key: remote_id for key in keys if (remote_id := self.find_item(key)) is not None}

    def create(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        [item] = items
        return [self.create_item(item)]

    def update(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        [item] = items
        return [self.update_item(item)]

    def delete(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        [item] = items
        return [self.delete_item(item)]


class UpsertChannel(Channel[S, C]):
    """An LMS whose one call creates, overwrites and takes away, by our own keys. One call may carry all three."""

    @abstractmethod
    def apply(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Make items what their payloads say, or take them away from learners, as each one's ``action`` says.

        A delete has no payload; ``title`` is what the item was called. What the LMS does not have is ``DONE`` then.
        """


class PullChannel(Channel[S, C]):
    """An LMS that comes to us for what has changed. Items are staged in a feed, and done once it must have them."""

    items_per_call = 1_000
    feed_path: ClassVar[str]  #: Of the feed, below ``integrated-channels/``.
    customer_parameter: ClassVar[str]  #: Of the feed's query: the customer's UUID.
    credentials_class: ClassVar[type[FeedCredentials]]

    @abstractmethod
    def takes_key(self, content_key: str) -> bool:
        """Return whether the LMS takes a content key as it is; otherwise the feed gives it another one, for ever."""

    @abstractmethod
    def retired(self, payload: Payload) -> Payload:
        """Return what the feed says of an item that is to be taken away from learners.

        Args:
            payload: what it last said of it.
        """

    @abstractmethod
    def entry(self, feed_key: str, payload: Payload, modified_at: datetime) -> Payload:
        """Return an item as the feed serves it."""

    @property
    def is_proven_by_any_poll(self) -> bool:
        """``True`` if any further GET acknowledges the last answer, for want of ``If-Modified-Since``."""
        return False

    def probe(self) -> Sequence[str]:
        return ()


class ConsentingChannel(ABC):
    """Mixed into a channel whose customer lets us in by logging in at the LMS once (OAuth 2, authorization code)."""

    @abstractmethod
    def authorization_url(self, *, redirect_uri: str, state: str) -> str:
        """Return where to send the person who consents; the LMS sends them to ``redirect_uri`` with a code."""

    @abstractmethod
    def redeem(self, code: str, *, redirect_uri: str) -> Mapping[str, str]:
        """Return the credentials that the LMS gives for the code: field -> value, the rest stays as it is.

        Raises:
            CredentialsError: the LMS does not take the code.
        """
