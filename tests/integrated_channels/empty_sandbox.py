"""A base for servers that answer HTTP like a sandbox, with its faults, but are no LMS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enterprise_catalog.sandbox.application import SandboxApplication

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class EmptySandbox(SandboxApplication):
    """A sandbox without content, settings and credentials."""

    def content(self) -> Sequence[Mapping[str, object]]:
        return []

    def offered(self) -> Mapping[str, str]:
        return {}

    def channel_credentials(self) -> Mapping[str, str]:
        return {}

    def channel_settings(self) -> Mapping[str, object]:
        return {}
