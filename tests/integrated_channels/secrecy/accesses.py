"""LMSs, and every way to authenticate with each of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import SecretStr

from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.sandbox.moodle.settings import PASSWORD, SERVICE, USERNAME
from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from enterprise_catalog.sandbox.registry import SANDBOXES
from enterprise_catalog.sandbox.sap.api import CLIENT_ID, SAPSandbox
from tests.sandbox.sap.keys import a_key_pair

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from enterprise_catalog.sandbox.application import SandboxApplication

_MANY: Final = 1_000  #: Runs need not wait for each other.


@dataclass(frozen=True, slots=True)
class Access:
    """An LMS, and the settings and credentials that give access to it."""

    code: str
    sandbox: SandboxApplication
    settings: Mapping[str, Any]
    credentials: Callable[[], Mapping[str, str]]  #: The valid credentials; some change on each use.

    def secrets(self) -> dict[str, str]:
        """Return the secret fields of the credentials, by name."""
        fields = CHANNELS[self.code].credentials_class.model_fields
        return {
            name: value
            for name, value in self.credentials().items()
            if SecretStr in (fields[name].annotation, *get_args(fields[name].annotation))
        }

    def wrong_secrets(self) -> dict[str, str]:
        """Return wrong secrets whose characters have to be escaped in some context."""
        wrong = {name: f'wr"ong/{name} <ä>+&\\' for name in self.secrets()}
        if "private_key" in wrong:  # An invalid key would not be stored.
            wrong["private_key"] = a_key_pair("another key").private_key
        return wrong


def _published(code: str, **settings: Any) -> Access:
    sandbox = SANDBOXES[code]()
    return Access(code, sandbox, {**sandbox.channel_settings(), **settings}, sandbox.channel_credentials)


def _moodle_by_password() -> Access:
    sandbox = MoodleSandbox()
    settings = {**sandbox.channel_settings(), "service": SERVICE}
    return Access("MOODLE", sandbox, settings, lambda: {"username": USERNAME, "password": PASSWORD})


def _sap_by_key() -> Access:
    keys = a_key_pair()
    sandbox = SAPSandbox(window_ms=0, certificate=keys.certificate)
    settings = {**sandbox.channel_settings(), "token_kind": "saml_bearer", "calls_per_window": _MANY}
    return Access("SAP", sandbox, settings, lambda: {"client_id": CLIENT_ID, "private_key": keys.private_key})


#: Name -> factory with its own sandbox. Includes every registered channel.
ACCESSES: Final[Mapping[str, Callable[[], Access]]] = {
    **{code: partial(_published, code) for code in CHANNELS},
    "MOODLE by password": _moodle_by_password,
    "SAP": partial(_published, "SAP", calls_per_window=_MANY),
    "SAP by key": _sap_by_key,
}
