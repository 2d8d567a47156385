"""Lectern: payloads, and the channel's calls against the sandbox."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from enterprise_catalog.integrated_channels.domain import Outcome, Outgoing
from enterprise_catalog.integrated_channels.exceptions import CredentialsError, RejectedError
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from tests.integrated_channels.channels.items import an_item
from tests.integrated_channels.channels.lectern.channel import Lectern, LecternCredentials, LecternSettings
from tests.integrated_channels.channels.lectern.sandbox import API_KEY, LecternSandbox


@pytest.fixture
def sandbox() -> LecternSandbox:
    """An empty Lectern."""
    return LecternSandbox()


def connected(sandbox: LecternSandbox, api_key: str = API_KEY) -> Lectern:
    client = LMSClient("http://lectern.test", transport=httpx.WSGITransport(app=sandbox))
    return Lectern(client, LecternSettings(), LecternCredentials(api_key=SecretStr(api_key)))


def outgoing(channel: Lectern, key: str = "A", *, remote_id: str = "") -> Outgoing:
    return Outgoing(key, channel.transform(an_item(key)), remote_id)


def test_a_course_has_the_fields_of_the_api(sandbox: LecternSandbox) -> None:
    assert connected(sandbox).transform(an_item("A", title="<b>Data</b> for All")) == {
        "external_id": "A",
        "title": "Data for All",
        "link": "https://learn.example.org/acme/course/Northwind+DATA101",
        "description": "Read data.",
        "language": "en",
    }


@pytest.mark.parametrize("fields", [{"content_type": "program"}, {"title": ""}, {"content_key": "k" * 81}])
def test_items_without_equivalent_are_rejected(sandbox: LecternSandbox, fields: dict[str, str]) -> None:
    with pytest.raises(RejectedError):
        connected(sandbox).transform(an_item(**fields))


def test_a_created_course_is_found_by_its_exact_key(sandbox: LecternSandbox) -> None:
    channel = connected(sandbox)

    [result] = channel.create([outgoing(channel)])

    assert (result.outcome, channel.find(["A", "a"])) == (Outcome.DONE, {"A": result.remote_id})
    assert sandbox.offered() == {"A": "Data for All"}


def test_a_delete_archives_and_an_update_unarchives(sandbox: LecternSandbox) -> None:
    channel = connected(sandbox)
    [created] = channel.create([outgoing(channel)])
    item = outgoing(channel, remote_id=created.remote_id)

    channel.delete([item])
    archived = sandbox.offered()
    channel.update([item])

    assert (archived, list(sandbox.offered())) == ({}, ["A"])


def test_changes_of_a_missing_course_are_gone(sandbox: LecternSandbox) -> None:
    channel = connected(sandbox)
    item = outgoing(channel, remote_id="7")

    assert [channel.update([item])[0].outcome, channel.delete([item])[0].outcome] == [Outcome.GONE, Outcome.GONE]


def test_a_course_that_was_created_after_the_lookup_is_retried(sandbox: LecternSandbox) -> None:
    channel = connected(sandbox)
    channel.create([outgoing(channel)])

    [result] = channel.create([outgoing(channel)])

    assert result.outcome is Outcome.RETRY


def test_all_pages_are_listed_including_archived_courses(sandbox: LecternSandbox) -> None:
    channel = connected(sandbox)
    for number in range(101):
        channel.create([outgoing(channel, f"K{number}")])
    channel.delete([outgoing(channel, "K0", remote_id="1")])

    listed = list(channel.list_items())

    assert [item.content_key for item in listed] == [f"K{number}" for number in range(101)]
    assert [item.content_key for item in listed if not item.is_offered] == ["K0"]
    assert listed[0].fields.items() <= channel.transform(an_item("K0")).items()


def test_a_wrong_api_key_stops_the_run(sandbox: LecternSandbox) -> None:
    with pytest.raises(CredentialsError, match="Unknown API key"):
        connected(sandbox, api_key="wrong").find(["A"])
