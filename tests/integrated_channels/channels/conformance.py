"""Shared fixtures for the conformance tests, which every push channel must pass against its sandbox.

``Connection`` connects a registered channel in-process to a new sandbox. Vendor-specific responses are in the file
``vendor_answers.py`` in the folder of the channel's tests. That file defines ``VENDOR_ANSWERS``, a list of
:class:`VendorAnswer`, and ``BAD_PAYLOAD``, a payload that the LMS rejects.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.base import PullChannel
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.domain import Action, Outcome, Outgoing
from enterprise_catalog.integrated_channels.exceptions import CredentialsError, StopSyncError
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from enterprise_catalog.integrated_channels.sync.transmitter import Transmitter
from enterprise_catalog.sandbox.registry import SANDBOXES
from tests.integrated_channels.channels.items import an_item

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.domain import ContentItem
    from enterprise_catalog.integrated_channels.sync.parts import Transmission
    from enterprise_catalog.sandbox.application import SandboxApplication
    from enterprise_catalog.sandbox.faults import Fault

#: Codes of the channels that call an LMS; pull channels make no calls.
CALLING: Final = [code for code, channel in CHANNELS.items() if not issubclass(channel, PullChannel)]


@dataclass(frozen=True, slots=True)
class VendorAnswer:
    """One response of a vendor, and the expected result of the item that was being created."""

    name: str
    fault: Fault
    outcome: Outcome
    stopped_by: type[StopSyncError] | None = None
    #: Prepares the sandbox before the call, in addition to the fault.
    prepare: Callable[[Any], None] = lambda _: None


def vendor_answers(code: str) -> list[VendorAnswer]:
    """Return ``VENDOR_ANSWERS`` of a channel. Every push channel must define it."""
    answers: list[VendorAnswer] = _of_vendor(code).VENDOR_ANSWERS
    return answers


def _of_vendor(code: str) -> Any:
    folder = CHANNELS[code].__module__.split(".")[-2]
    return importlib.import_module(f"tests.integrated_channels.channels.{folder}.vendor_answers")


@dataclass
class Connection:
    """A channel connected to its own sandbox, with the remote IDs of the items sent so far."""

    code: str
    sandbox: SandboxApplication = field(init=False)
    channel: Channel = field(init=False)
    handed_out: list[str] = field(init=False, default_factory=list)  #: Secrets contained in responses.
    known: dict[str, str] = field(init=False, default_factory=dict)  #: Content key -> ID in the LMS.

    def __post_init__(self) -> None:
        self.sandbox = SANDBOXES[self.code]()
        self.connect()

    def connect(self) -> None:
        """Reconnect as the next run does: with the stored credentials and settings, and no other state."""
        channel_class = CHANNELS[self.code]
        credentials = channel_class.credentials_class.model_validate(self.sandbox.channel_credentials())
        settings = channel_class.settings_class.model_validate(self.sandbox.channel_settings())
        transport = httpx.WSGITransport(app=self.sandbox)
        client = LMSClient("http://lms.test", secrets=secrets_of(credentials), transport=transport)
        self.channel = channel_class(client, settings, credentials)
        self.channel.parallel_calls = 1  # Sequential, so that each fault hits the intended call.

    def send(self, action: Action, *keys: str, unseen: bool = False, **fields: Any) -> Transmission:
        """Send items with ``keys`` as the engine does, and remember their remote IDs.

        Args:
            unseen: no earlier call can have created the items. Sends no remote IDs.
            fields: the fields of the content items, except their keys.
        """
        items = [self.outgoing(action, key, unseen=unseen, **fields) for key in keys]
        transmission = Transmitter(self.channel).transmit(items)
        self.known |= {k: result.remote_id for k, result in transmission.results.items() if result.remote_id}
        return transmission

    def outgoing(self, action: Action, key: str, *, unseen: bool = False, **fields: Any) -> Outgoing:
        """Return one item to send; a delete has an empty payload."""
        item = item_of(key, **fields)
        payload = {} if action is Action.DELETE else self.channel.transform(item)
        remote_id = "" if unseen else self.known.get(key, "")
        return Outgoing(key, payload, remote_id, may_be_there=not unseen, action=action, title=item.title)

    def bad_item(self, key: str) -> Outgoing:
        """Return an item that the LMS rejects: its payload is the vendor's ``BAD_PAYLOAD``."""
        return Outgoing(key, _of_vendor(self.code).BAD_PAYLOAD, may_be_there=False, action=Action.CREATE, title="Bad")

    @property
    def offered(self) -> Mapping[str, str]:
        """Content key -> title of each item that learners see in the sandbox."""
        return self.sandbox.offered()


def item_of(key: str, **fields: Any) -> ContentItem:
    """Return a course whose title and enrollment URL contain ``key``."""
    defaults = {"title": f"Course {key}", "enrollment_url": f"https://learn.example.org/acme/course/{key}"}
    return an_item(key, **(defaults | fields))


def secrets_of(credentials: BaseModel) -> list[str]:
    """Return the values of all secret fields. No message may contain them."""
    return [value.get_secret_value() for _, value in credentials if isinstance(value, SecretStr)]


def outcomes(transmission: Transmission) -> dict[str, str]:
    """Return content key -> outcome of each item."""
    return {key: result.outcome.value for key, result in transmission.results.items()}


def all_done(*keys: str) -> dict[str, str]:
    """Return the outcomes to expect when all ``keys`` are done."""
    return dict.fromkeys(keys, Outcome.DONE.value)


def is_stopped_by_credentials(transmission: Transmission) -> bool:
    """Return True if the run stopped with ``CredentialsError``: an operator has to enter new credentials."""
    return isinstance(transmission.stopped_by, CredentialsError)
