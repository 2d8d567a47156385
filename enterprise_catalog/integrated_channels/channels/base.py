"""Base classes of channels. A channel translates content items and calls one LMS; the engine does everything else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Generic, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from typing_extensions import TypeVar

from enterprise_catalog.integrated_channels.channels.duplicates import Duplicates, duplicates_among

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.domain import (
        ContentItem,
        ItemResult,
        Outgoing,
        Payload,
        RateLimit,
        RemoteItem,
    )
    from enterprise_catalog.integrated_channels.lms.client import LMSClient

#: Stores new values of a configuration's credentials (field -> value) before it returns.
SaveCredentials = Callable[[Mapping[str, str]], None]


class ChannelSettings(BaseModel):
    """Base of a channel's settings and credentials. Rejects unknown names; keeps values out of validation errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class FeedCredentials(ChannelSettings):
    """Credentials that an LMS sends when it polls a feed, by HTTP Basic or as an OAuth 2 client."""

    username: str = Field(min_length=1, description="User name or client ID with which the LMS authenticates.")
    password: SecretStr = Field(description="Password or client secret of the LMS.")


#: Covariant, with defaults, so that ``Channel`` without parameters stands for a channel of any LMS.
S_co = TypeVar("S_co", bound=ChannelSettings, default=ChannelSettings, covariant=True)
C_co = TypeVar("C_co", bound=ChannelSettings, default=ChannelSettings, covariant=True)


#: Reports several LMS items that share one content key.
NoteDuplicates = Callable[[Duplicates], None]


def _keep_nothing(_: Mapping[str, str]) -> None:
    """Discard new credentials. The default until the engine sets ``save_credentials``."""


def _note_nothing(_: Duplicates) -> None:
    """Discard the report. The default until the engine sets ``note_duplicates``."""


class Channel(ABC, Generic[S_co, C_co]):
    """One LMS that receives content metadata. Subclass one of the three kinds below.

    A subclass declares the class attributes and implements the methods. The engine handles the database, retries,
    logging and the clock; a channel uses none of them. A channel does not catch an error to continue. Every method
    that sends is safe to repeat with the same arguments.

    The methods that send return one result per item, in any order. An exception applies to all items of the call, so
    a call that changes the LMS should be one request. If ``parallel_calls`` is above 1, several threads call these
    methods at the same time. They raise:

    * ``RejectedError``: the LMS rejected the whole call because of at least one item, and applied nothing. The engine
      then splits the call in halves until it finds the rejected item.
    * ``RetryableError``: the call may succeed later. It is unknown if the LMS applied it.
    * ``StopSyncError``: no further call of this run can succeed.
    * ``ThrottledError``, a kind of ``StopSyncError``: the LMS requires fewer calls.
    """

    code: ClassVar[str]  #: Stored in rows; never change it once released.
    label: ClassVar[str]  #: Display name.
    settings_class: ClassVar[type[ChannelSettings]]  #: Set from the type parameters of the base, like the next one.
    credentials_class: ClassVar[type[ChannelSettings]]  #: Its ``SecretStr`` fields are redacted from every message.

    items_per_call: int  #: Maximum number of items in one call. An instance may lower it, based on its settings.
    is_atomic: ClassVar[bool] = False  #: The LMS applies a call with several items completely or not at all.
    max_key_length: ClassVar[int]  #: Of content keys, in characters. ``transform`` rejects longer keys.
    #: Maximum number of calls at the same time, each in its own thread.
    parallel_calls: int = 1
    #: Maximum number of calls in a time window, counted across all workers; ``None`` for no limit.
    rate_limit: RateLimit | None = None
    can_list: ClassVar[bool] = False  #: Set to ``True`` automatically if the channel implements :meth:`list_items`.

    #: Set to ``True`` automatically if the channel implements :meth:`look_up`.
    can_look_up: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Set the settings and credentials classes from the parameters of the base, as in ``PushChannel[S, C]``."""
        super().__init_subclass__()
        for base in cls.__dict__.get("__orig_bases__", ()):
            match get_args(base):
                case (type() as settings, type() as credentials):
                    cls.settings_class, cls.credentials_class = settings, credentials
        cls.can_list = cls.list_items is not Channel.list_items
        cls.can_look_up = cls.look_up is not Channel.look_up

    def __init__(self, client: LMSClient, settings: S_co, credentials: C_co) -> None:
        self.client = client
        self.settings = settings
        self.credentials = credentials
        self.save_credentials: SaveCredentials = _keep_nothing  #: The engine sets it.
        self.note_duplicates: NoteDuplicates = _note_nothing  #: The engine sets it.
        self.prepare()

    def prepare(self) -> None:
        """Prepare for calls: read client, settings and credentials. Sends nothing.

        Raises:
            ConfigurationError: a required setting or credential is missing.
        """

    @abstractmethod
    def transform(self, item: ContentItem) -> Payload:
        """Return ``item`` in this LMS's schema. Pure; equal items give equal payloads.

        Raises:
            RejectedError: the LMS cannot represent the item. The message lists every problem.
        """

    @abstractmethod
    def check_connection(self) -> Sequence[str]:
        """Check the connection and return the problems found, one sentence each. Changes nothing.

        Raises:
            SyncError: the LMS is unreachable or rejects our credentials. The message describes the problem.
        """

    def list_items(self) -> Iterator[RemoteItem]:
        """Yield every LMS item that has a key of our format, hidden items included, in no particular order.

        Raises:
            NotImplementedError: ``can_list`` is ``False``.
        """
        raise NotImplementedError(f"{self.label} cannot list its items.")

    def look_up(self, key: str) -> RemoteItem | None:
        """Return the LMS item with exactly this key, hidden or not; ``None`` if there is no such item.

        Raises:
            NotImplementedError: ``can_look_up`` is ``False``.
        """
        raise NotImplementedError(f"{self.label} cannot look up single items.")


class PushChannel(Channel[S_co, C_co]):
    """An LMS with separate calls to create, update and delete. Each call has at most ``items_per_call`` items."""

    @abstractmethod
    def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Return content key -> LMS id for each of ``keys`` that the LMS has. Keys compare exactly.

        Includes hidden items. If several items have the same key, :meth:`choose` selects one.
        """

    def choose(self, key: str, remote_ids: Collection[str]) -> str | None:
        """Return the id of the oldest LMS item with ``key``, or ``None`` without ``remote_ids``. Reports duplicates.

        Args:
            remote_ids: the LMS ids of all items with this key.
        """
        if not remote_ids:
            return None
        if duplicates := duplicates_among(key, remote_ids):
            self.note_duplicates(duplicates)
            return duplicates.used
        return next(iter(remote_ids))

    @abstractmethod
    def create(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Create items. The results contain the LMS ids.

        Called for items that :meth:`find` has just not found, or that no earlier call of ours can have created. A
        create must never add a second item with the same key: the LMS must reject the duplicate or overwrite the
        existing item. ``REJECTED`` is final. If the LMS may already have the key, raise, or return ``RETRY``.
        """

    @abstractmethod
    def update(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Update items (with ``remote_id``) to match their payloads, and unhide hidden items.

        The result is ``GONE`` for an item that the LMS no longer has.
        """

    @abstractmethod
    def delete(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Hide or delete items (with ``remote_id``). The result is ``GONE`` for an item that the LMS no longer has."""


class OneByOneChannel(PushChannel[S_co, C_co]):
    """A push channel whose LMS accepts one item per call. Subclasses implement methods for one item, not for lists."""

    items_per_call = 1

    def find_item(self, key: str) -> str | None:
        """Return the LMS id of the item with exactly this key, hidden or not; ``None`` if there is no such item.

        Implement this method or :meth:`look_up`.
        """
        found = self.look_up(key)
        return found.remote_id if found else None

    @abstractmethod
    def create_item(self, item: Outgoing) -> ItemResult:
        """Create the item, as :meth:`create` does."""

    @abstractmethod
    def update_item(self, item: Outgoing) -> ItemResult:
        """Update the item, as :meth:`update` does."""

    @abstractmethod
    def delete_item(self, item: Outgoing) -> ItemResult:
        """Hide or delete the item, as :meth:`delete` does."""

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


class UpsertChannel(Channel[S_co, C_co]):
    """An LMS with one call that creates, overwrites and removes items by our keys. One call may mix all three."""

    @abstractmethod
    def apply(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        """Create, update or remove each item according to its ``action``.

        A delete has no payload; ``title`` is the item's last title. Deleting an item that the LMS does not have
        returns ``DONE``.
        """


class PullChannel(Channel[S_co, C_co]):
    """An LMS that polls a feed for changes. Items are staged in the feed, and done when the LMS acknowledges them."""

    items_per_call = 1_000
    feed_path: ClassVar[str]  #: URL path of the feed, below ``integrated-channels/``.
    customer_parameter: ClassVar[str]  #: Query parameter of the feed that contains the customer's UUID.
    credentials_class: ClassVar[type[FeedCredentials]]

    @abstractmethod
    def takes_key(self, content_key: str) -> bool:
        """Return True if the LMS accepts the content key unchanged. Otherwise the feed assigns a permanent new key."""

    @abstractmethod
    def retired(self, payload: Payload) -> Payload:
        """Return the payload that removes an item from learners' view.

        Args:
            payload: the item's last payload in the feed.
        """

    @abstractmethod
    def entry(self, feed_key: str, payload: Payload, modified_at: datetime) -> Payload:
        """Return the feed entry of an item, with its key and modification time in the LMS's format."""

    @property
    def is_acknowledged_by_any_poll(self) -> bool:
        """``True`` if any later GET acknowledges the last response. For an LMS that sends no ``If-Modified-Since``."""
        return False

    def check_connection(self) -> Sequence[str]:
        return ()


class ConsentingChannel(ABC):
    """Mixin for channels that a customer authorizes once by logging in to the LMS (OAuth 2, authorization code)."""

    @property
    @abstractmethod
    def is_authorized(self) -> bool:
        """True if a user has granted access. The LMS may have withdrawn it since."""

    @abstractmethod
    def authorization_url(self, *, redirect_uri: str, state: str) -> str:
        """Return the LMS page where the user grants consent. The LMS then redirects to ``redirect_uri`` with a code."""

    @abstractmethod
    def redeem(self, code: str, *, redirect_uri: str) -> Mapping[str, str]:
        """Exchange the code for credentials: field -> new value. Fields that are not returned keep their values.

        Raises:
            CredentialsError: the LMS rejects the code.
        """
