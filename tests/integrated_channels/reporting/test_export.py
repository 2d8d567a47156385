"""Exports of lists: complete, in bounded memory, safe to open in a spreadsheet, and only with permission."""

from __future__ import annotations

import csv
import json
import tracemalloc
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.http import StreamingHttpResponse
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.db.time_limit import TimeLimitError
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission, SyncRun
from enterprise_catalog.integrated_channels.reporting import export
from enterprise_catalog.integrated_channels.reporting.export import read_pages
from enterprise_catalog.integrated_channels.reporting.formats import BYTE_ORDER_MARK, to_csv, to_json_lines
from tests.factories.channels import SECRET, ConfigurationFactory, TransmissionFactory
from tests.integrated_channels.pages import ATTEMPTS, CONFIGURATIONS, RUNS, TRANSMISSIONS, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from django.test import Client

    Filters = Mapping[str, str | list[str]]

pytestmark = pytest.mark.django_db

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1"]


def exported(client: Client, address: str, ending: str = "csv", filters: Filters | None = None) -> str:
    response = client.get(f"{address}export.{ending}", filters)
    assert response.status_code == 200
    assert isinstance(response, StreamingHttpResponse)
    return response.getvalue().decode()


def stopping_at(number: int) -> Callable[[int], AbstractContextManager[None]]:
    """Return a time limit that stops this block, counted from 1."""
    blocks = count(1)

    @contextmanager
    def time_limit(_: int) -> Iterator[None]:
        if next(blocks) == number:
            raise TimeLimitError
        yield

    return time_limit


def table(text: str) -> list[dict[str, str]]:
    assert text.startswith(BYTE_ORDER_MARK)
    return list(csv.DictReader(text.removeprefix(BYTE_ORDER_MARK).splitlines()))


def test_a_list_is_exported_as_csv(admin_client: Client) -> None:
    row = TransmissionFactory.create(content_key="Org+Ä", content_title='Tab, "quote" and 漢字', rejected=True)

    [line] = table(exported(admin_client, TRANSMISSIONS))

    assert (line["content_key"], line["content_title"]) == ("Org+Ä", 'Tab, "quote" and 漢字')
    assert (line["state"], line["channel"], line["deleted_at"]) == ("rejected", "MOODLE", "")
    assert line["enterprise_customer_uuid"] == str(row.configuration.enterprise_customer_uuid)
    assert line["created_at"] == row.created_at.isoformat()


def test_a_list_is_exported_as_json_lines(admin_client: Client) -> None:
    TransmissionFactory.create_for_keys(["=Org+A", "Org+B"], rejected=True)

    lines = [json.loads(line) for line in exported(admin_client, TRANSMISSIONS, "jsonl").splitlines()]

    assert [line["content_key"] for line in lines] == ["=Org+A", "Org+B"]
    assert lines[0]["deleted_at"] is None


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("text", FORMULAS)
def test_a_spreadsheet_shows_a_formula_as_text(text: str) -> None:
    [_, lines] = to_csv([[{"title": text, "number": -1}]], ["title", "number"])

    [[title, number]] = csv.reader([lines.removesuffix("\r\n")], quotechar='"')

    assert title == f"'{text}"
    assert number == "-1"


@pytest.mark.parametrize(
    ("filters", "keys"),
    [
        ({}, ["Org+A", "Org+B", "Org+C"]),
        ({"state__exact": "pending"}, ["Org+C"]),
        ({"state__exact": ["pending", "rejected"]}, ["Org+A", "Org+B", "Org+C"]),
        ({"q": "Org+B"}, ["Org+B"]),
        ({"configuration__channel_code__exact": "CANVAS"}, []),
        ({"problem": "invalid"}, ["Org+A", "Org+B"]),
        ({"p": "1"}, ["Org+A", "Org+B", "Org+C"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [1, 2, 3, 1_000])
def test_the_same_rows_are_exported_as_listed(
    admin_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    filters: Filters,
    keys: list[str],
    size: int,
) -> None:
    monkeypatch.setattr(export, "PAGE_SIZE", size)
    TransmissionFactory.create_for_keys(["Org+A", "Org+B"], rejected=True)
    TransmissionFactory.create(content_key="Org+C")

    assert sorted(line["content_key"] for line in table(exported(admin_client, TRANSMISSIONS, filters=filters))) == keys


def test_attempts_and_runs_are_exported_with_their_configuration(admin_client: Client) -> None:
    row = TransmissionFactory.create(content_key="Org+A", rejected=True)

    [attempt] = table(exported(admin_client, ATTEMPTS, filters={"outcome__exact": "rejected"}))
    [run] = table(exported(admin_client, RUNS, filters={"state__exact": "complete"}))

    assert (attempt["content_key"], attempt["outcome"]) == ("Org+A", "rejected")
    assert attempt["configuration"] == run["configuration"] == str(row.configuration)
    assert run["counts"] == "{}"


def test_an_empty_list_is_exported_with_its_header(admin_client: Client) -> None:
    assert exported(admin_client, RUNS).startswith(f"{BYTE_ORDER_MARK}configuration_id,configuration,")
    assert exported(admin_client, RUNS, "jsonl") == ""


def test_no_secret_is_exported(admin_client: Client) -> None:
    row = TransmissionFactory.create(rejected=True)

    texts = [exported(admin_client, address, "jsonl") for address in (TRANSMISSIONS, ATTEMPTS, RUNS)]

    assert all(texts)
    assert not any(SECRET in text or row.configuration.credentials in text for text in texts)


@pytest.mark.parametrize("address", [TRANSMISSIONS, ATTEMPTS, RUNS])
def test_an_export_needs_the_permission_to_view(client: Client, address: str) -> None:
    client.force_login(get_user_model().objects.create_user("staff", is_staff=True))

    assert client.get(f"{address}export.csv").status_code == 403


def test_an_anonymous_user_must_log_in(client: Client) -> None:
    assert client.get(f"{TRANSMISSIONS}export.csv").status_code == 302


def test_an_unknown_filter_exports_nothing(admin_client: Client) -> None:
    assert admin_client.get(f"{TRANSMISSIONS}export.csv", {"credentials__startswith": "g"}).status_code == 400
    list_page = admin_client.get(f"{TRANSMISSIONS}export.csv", {"configuration__id__exact": "x"}, follow=True)
    assert list_page.request["PATH_INFO"] == TRANSMISSIONS


def test_an_export_whose_first_statement_takes_too_long_leads_back_to_the_list(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    TransmissionFactory.create(rejected=True)
    monkeypatch.setattr(export, "time_limit", stopping_at(1))

    page = admin_client.get(f"{TRANSMISSIONS}export.csv", {"problem": "invalid"}, follow=True)

    assert (page.request["PATH_INFO"], page.request["QUERY_STRING"]) == (TRANSMISSIONS, "problem=invalid")
    assert "The search was stopped after 10 seconds." in text_of(page)


def test_an_export_of_which_a_later_statement_takes_too_long_breaks_off(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE_SIZE", 1)
    TransmissionFactory.create_for_keys(["Org+A", "Org+B"], rejected=True)
    monkeypatch.setattr(export, "time_limit", stopping_at(2))

    with pytest.raises(TimeLimitError):
        exported(admin_client, TRANSMISSIONS)


def test_the_buttons_export_what_the_list_shows(admin_client: Client) -> None:
    page = text_of(admin_client.get(TRANSMISSIONS, {"state__exact": ["rejected", "retrying"], "p": "1"}))

    query = "state__exact=rejected&amp;state__exact=retrying"
    assert f'href="{TRANSMISSIONS}export.csv?{query}"' in page
    assert f'href="{TRANSMISSIONS}export.jsonl?{query}"' in page
    assert "export." not in text_of(admin_client.get(CONFIGURATIONS))


def test_each_page_of_an_export_takes_the_same_statements_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE_SIZE", 50)
    configuration = ConfigurationFactory.create()
    keys = [f"{number:05}{'x' * 200}" for number in range(2_000)]
    TransmissionFactory.create_for_keys(keys, configuration=configuration)
    lines = to_json_lines(read_pages(ContentMetadataItemTransmission.objects.order_by("content_key", "id")))
    next(lines)

    tracemalloc.start()
    with CaptureQueriesContext(connection) as captured:
        size = sum(len(part) for part in lines)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(captured) <= 2 * 40
    assert size > 1_400_000
    assert peak < 600_000


def test_rows_without_an_attempt_come_after_the_newest_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE_SIZE", 1)
    TransmissionFactory.create_for_keys(["new"])
    TransmissionFactory.create_for_keys(["sent", "sent too"], transmitted=True)
    TransmissionFactory.create_for_keys(["newer"])
    rows = ContentMetadataItemTransmission.objects.all()

    descending = [row["content_key"] for [row] in read_pages(rows.order_by("-last_attempt_at", "-id"))]
    ascending = [row["content_key"] for [row] in read_pages(rows.order_by("last_attempt_at", "id"))]

    assert descending == ["sent too", "sent", "newer", "new"]
    assert ascending == descending[::-1]


def test_the_command_exports_too(capsys: pytest.CaptureFixture[str]) -> None:
    TransmissionFactory.create_for_keys(["Org+A", "=Org+B"], rejected=True)
    TransmissionFactory.create_for_keys(["Org+C"])

    call_command("show_transmissions", "--csv", "--search", "reason: invalid")

    lines = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert sorted(line["content_key"] for line in lines) == ["'=Org+B", "Org+A"]
    assert SyncRun.objects.count() == 1
