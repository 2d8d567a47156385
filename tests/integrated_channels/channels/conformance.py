"""What every channel that calls its learning system has to do, whatever the system is: tried against its sandbox.

``Connection`` connects a registered channel to a fresh sandbox of its own, in-process. What each vendor says in its own
way stands beside the channel's tests, in ``vendor_answers.py``: a list ``VENDOR_ANSWERS`` of :class:`VendorAnswer`, and
``BAD_PAYLOAD``, a payload that it refuses.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.base import PullChannel
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.exceptions import CredentialsError, StopSyncError
from enterprise_catalog.integrated_channels.http import LMSClient
from enterprise_catalog.integrated_channels.transmitter import Transmitter
from enterprise_catalog.integrated_channels.types import Action, Outcome, Outgoing
from enterprise_catalog.sandbox.registry import SANDBOXES
from tests.integrated_channels.channels.items import an_item

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.parts import Transmission
    from enterprise_catalog.integrated_channels.types import ContentItem
    from enterprise_catalog.sandbox.application import SandboxApplication
    from enterprise_catalog.sandbox.faults import Fault

#: Codes of the channels that call.
CALLING: Final = [code for code, channel in CHANNELS.items() if not issubclass(channel, PullChannel)]


@dataclass(frozen=True, slots=True)
class VendorAnswer:
    """What a vendor may answer, and what has to become of the item that was being created."""

    name: str
    fault: Fault
    outcome: Outcome
    stopped_by: type[StopSyncError] | None = None
    #: What is done to the sandbox before, beside the fault.
    prepare: Callable[[Any], None] = lambda _: None


def vendor_answers(code: str) -> list[VendorAnswer]:
    """Return the vendor's own table of a channel; every channel has to have one."""
    answers: list[VendorAnswer] = _of_vendor(code).VENDOR_ANSWERS
    return answers


def _of_vendor(code: str) -> Any:
    folder = CHANNELS[code].__module__.split(".")[-2]
    return importlib.import_module(f"tests.integrated_channels.channels.{folder}.vendor_answers")


@dataclass
class Connection:
    """A channel, and the sandbox that it is connected to."""

    code: str
    sandbox: SandboxApplication = field(init=False)
    channel: Channel[Any, Any] = field(init=False)
    handed_out: list[str] = field(init=False, default_factory=list)  #: Secrets that answers held.
    known: dict[str, str] = field(init=False, default_factory=dict)  #: Content key -> the learning system's own id.

    def __post_init__(self) -> None:
        self.sandbox = SANDBOXES[self.code]()
        self.connect()

    def connect(self) -> None:
        """Connect anew, as the next run does: with what is stored, and nothing remembered."""
        channel_class = CHANNELS[self.code]
        credentials = channel_class.credentials_class.model_validate(self.sandbox.channel_credentials())
        settings = channel_class.settings_class.model_validate(self.sandbox.channel_settings())
        transport = httpx.WSGITransport(app=self.sandbox)
        client = LMSClient("http://lms.test", secrets=secrets_of(credentials), transport=transport)
        self.channel = channel_class(client, settings, credentials)
        self.channel.parallel_calls = 1  # One after the other, so that faults strike what they are meant for.

    def send(self, action: Action, *keys: str, unseen: bool = False, **fields: Any) -> Transmission:
        """Send items with ``keys``, as the engine does, and remember their ids.

        Args:
            unseen: whether no earlier call can have put them there.
            fields: of the content items, beside their keys.
        """
        items = [self.outgoing(action, key, unseen=unseen, **fields) for key in keys]
        transmission = Transmitter(self.channel).transmit(items)
        self.known |= {k: result.remote_id for k, result in transmission.results.items() if result.remote_id}
        return transmission

    def outgoing(self, action: Action, key: str, *, unseen: bool = False, **fields: Any) -> Outgoing:
        """Return an item on its way."""
        item = item_of(key, **fields)
        payload = {} if action is Action.DELETE else self.channel.transform(item)
        remote_id = "" if unseen else self.known.get(key, "")
        return Outgoing(key, payload, remote_id, may_be_there=not unseen, action=action, title=item.title)

    def bad_item(self, key: str) -> Outgoing:
        """Return an item that the learning system refuses, with the payload ``BAD_PAYLOAD`` of its vendor's answers."""
        return Outgoing(key, _of_vendor(self.code).BAD_PAYLOAD, may_be_there=False, action=Action.CREATE, title="Bad")

    @property
    def offered(self) -> Mapping[str, str]:
        """Content key -> title of what learners see."""
        return self.sandbox.offered()


def item_of(key: str, **fields: Any) -> ContentItem:
    """Return a course whose title and address are its own."""
    defaults = {"title": f"Course {key}", "enrollment_url": f"https://learn.example.org/acme/course/{key}"}
    return an_item(key, **(defaults | fields))


def secrets_of(credentials: BaseModel) -> list[str]:
    """Return what no message may hold."""
    return [value.get_secret_value() for _, value in credentials if isinstance(value, SecretStr)]


def outcomes(transmission: Transmission) -> dict[str, str]:
    """Return content key -> outcome."""
    return {key: result.outcome.value for key, result in transmission.results.items()}


def all_done(*keys: str) -> dict[str, str]:
    """Return the outcomes of keys that are all done."""
    return dict.fromkeys(keys, Outcome.DONE.value)


def is_stopped_by_credentials(transmission: Transmission) -> bool:
    """Return whether the configuration is at an end until somebody enters other credentials."""
    return isinstance(transmission.stopped_by, CredentialsError)
