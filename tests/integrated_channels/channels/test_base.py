"""Defaults of the channel base classes: one item per call, classes from type parameters, and support for listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from enterprise_catalog.integrated_channels.channels.base import ChannelSettings, OneByOneChannel
from enterprise_catalog.integrated_channels.channels.results import done, failed, gone, made_meanwhile
from enterprise_catalog.integrated_channels.domain import ItemResult, Outcome, Outgoing
from enterprise_catalog.integrated_channels.exceptions import RejectedError, RetryableError
from enterprise_catalog.integrated_channels.lms.client import LMSClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from enterprise_catalog.integrated_channels.domain import ContentItem, Payload, RemoteItem


class LecternSettings(ChannelSettings):
    language: str = "en"


class LecternCredentials(ChannelSettings):
    pass


class Lectern(OneByOneChannel[LecternSettings, LecternCredentials]):
    def transform(self, item: ContentItem) -> Payload:
        return {}

    def check_connection(self) -> Sequence[str]:
        return ()

    def find_item(self, key: str) -> str | None:
        return {"A": "1", "B": "2"}.get(key)

    def create_item(self, item: Outgoing) -> ItemResult:
        return done(item, 7)

    def update_item(self, item: Outgoing) -> ItemResult:
        return done(item)

    def delete_item(self, item: Outgoing) -> ItemResult:
        return gone(item, 410)


class ListingLectern(Lectern):
    def list_items(self) -> Iterator[RemoteItem]:
        return iter(())


@pytest.fixture
def lectern() -> Lectern:
    client = LMSClient("https://lectern.test", transport=httpx.MockTransport(lambda _: httpx.Response(500)))
    return Lectern(client, LecternSettings(), LecternCredentials())


def test_the_kinds_parameters_are_the_classes_of_settings_and_credentials() -> None:
    assert (Lectern.settings_class, Lectern.credentials_class) == (LecternSettings, LecternCredentials)
    assert ListingLectern.settings_class is LecternSettings


def test_a_channel_can_list_if_it_has_a_list() -> None:
    assert (Lectern.can_list, ListingLectern.can_list) == (False, True)


def test_one_item_after_the_other_is_found_and_those_that_are_not_are_left_out(lectern: Lectern) -> None:
    assert lectern.find(["A", "C", "B"]) == {"A": "1", "B": "2"}


def test_a_call_has_one_item_and_its_result(lectern: Lectern) -> None:
    item = Outgoing("A", {}, "3")

    assert (lectern.items_per_call, lectern.create([item])) == (1, [ItemResult("A", Outcome.DONE, "7")])
    assert lectern.update([item]) == [ItemResult("A", Outcome.DONE, "3")]
    assert lectern.delete([item]) == [ItemResult("A", Outcome.GONE, status_code=410)]
    with pytest.raises(ValueError, match="too many values"):
        lectern.create([item, item])


def test_an_error_of_one_item_is_reported_completely() -> None:
    item = Outgoing("A", {}, "3")
    later = RetryableError("Not now.", status_code=503, vendor_code="busy", retry_after_seconds=9)
    refusal = RejectedError("Taken.", status_code=409, vendor_code="taken")

    assert failed(item, later) == ItemResult("A", Outcome.RETRY, "", 503, "busy", "Not now.", 9)
    assert failed(item, refusal, message="No.", remote_id="3") == ItemResult(
        "A", Outcome.REJECTED, "3", 409, "taken", "No."
    )
    assert made_meanwhile(item, refusal, known_as="ID") == ItemResult(
        "A",
        Outcome.RETRY,
        "",
        409,
        "taken",
        "A course with the ID 'A' was created after the look-up. The next sync adopts it.",
    )
