"""A complete channel for an invented LMS that has one URL per course and authenticates by token."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import Field, SecretStr

from enterprise_catalog.integrated_channels.channels.base import ChannelSettings, UpsertChannel
from enterprise_catalog.integrated_channels.channels.content.text import plain
from enterprise_catalog.integrated_channels.domain import Action, ItemResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enterprise_catalog.integrated_channels.domain import ContentItem, Outgoing, Payload


class ExampleSettings(ChannelSettings):
    """Settings that differ between customers."""

    board: str = Field(default="courses", description="The board that lists the courses.")


class ExampleCredentials(ChannelSettings):
    """Credentials for the example LMS."""

    token: SecretStr = Field(description="A token of a user who may add courses.")


class ExampleChannel(UpsertChannel[ExampleSettings, ExampleCredentials]):
    """Adds courses to a board: ``PUT`` creates or overwrites a course, ``DELETE`` removes it if it exists."""

    code, label = "EXAMPLE", "Example LMS"
    items_per_call, max_key_length = 1, 255
    settings_class, credentials_class = ExampleSettings, ExampleCredentials

    def transform(self, item: ContentItem) -> Payload:
        return {"title": plain(item.title), "link": item.enrollment_url}

    def check_connection(self) -> Sequence[str]:
        self._call("GET")
        return ()

    def apply(self, items: Sequence[Outgoing]) -> Sequence[ItemResult]:
        [item] = items
        self._call("DELETE" if item.action is Action.DELETE else "PUT", item.content_key, item.payload)
        return [ItemResult(item.content_key, Outcome.DONE)]

    def _call(self, method: str, key: str = "", course: Payload | None = None) -> None:
        headers = {"Authorization": f"Bearer {self.credentials.token.get_secret_value()}"}
        self.client.send(method, f"/{self.settings.board}/{quote(key, safe='')}", headers=headers, json=course or None)
