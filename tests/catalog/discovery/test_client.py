"""The client of course-discovery: what it requests, and what it makes of every kind of failure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from enterprise_catalog.catalog.discovery.client import DiscoveryClient
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.open_edx import api
from enterprise_catalog.service_client import client as service_client
from enterprise_catalog.service_client.exceptions import (
    CredentialsError,
    IncompleteListError,
    NotConfiguredError,
    RateLimitedError,
    RequestRejectedError,
    ServiceError,
    UnreachableError,
    UnreadableResponseError,
)
from tests.open_edx import course, program, run
from tests.services import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_django import Settings

    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

PAGE: Final = "<html><head><title>Maintenance</title></head></html>"


@pytest.fixture
def slept() -> list[float]:
    """The pauses of the client, in seconds."""
    return []


@pytest.fixture
def discovery(open_edx: OpenEdxSandbox, slept: list[float]) -> Iterator[DiscoveryClient]:
    """A client that does not really wait."""
    open_edx.documents.put([course("edX+DemoX")])
    with DiscoveryClient(sleep=slept.append) as client:
        yield client


def keys_of(pages: Iterator[list[dict[str, Any]]]) -> list[str]:
    return [document["key"] for page in pages for document in page]


def fail(
    sandbox: OpenEdxSandbox, kind: FaultKind = FaultKind.ANSWER, *, operation: str = "*/api/*", **how: Any
) -> None:
    sandbox.faults.add(Fault(kind=kind, operation=operation, **how))


# --- lists ----------------------------------------------------------------------------------------------------------


def test_a_search_yields_all_pages(open_edx: OpenEdxSandbox, discovery: DiscoveryClient) -> None:
    open_edx.documents.replace([course(f"edX+{number:03}") for number in range(250)])

    pages = list(discovery.search({"content_type": "course"}))

    assert [len(page) for page in pages] == [100, 100, 50]
    assert keys_of(iter(pages)) == [f"edX+{number:03}" for number in range(250)]


def test_a_page_is_requested_only_when_it_is_needed(open_edx: OpenEdxSandbox, discovery: DiscoveryClient) -> None:
    open_edx.documents.replace([course(f"edX+{number:03}") for number in range(250)])

    next(discovery.search({"content_type": "course"}))

    assert open_edx.calls[api.SEARCH] == 1


def test_a_search_sends_the_filter_unchanged(open_edx: OpenEdxSandbox, discovery: DiscoveryClient) -> None:
    open_edx.documents.put([course("edX+Other", level_type="Advanced")])

    assert keys_of(discovery.search({"content_type": "course", "level_type": ["Advanced"], "typo__of": "x"})) == [
        "edX+Other"
    ]


def test_an_empty_result_is_no_page(discovery: DiscoveryClient) -> None:
    assert list(discovery.search({"key": ["edX+Unknown"]})) == []


def test_a_search_leaves_out_expired_and_restricted_runs(open_edx: OpenEdxSandbox, discovery: DiscoveryClient) -> None:
    runs = [
        run("course-v1:edX+R+now"),
        run("course-v1:edX+R+past", end="2020-01-01T00:00:00Z"),
        run("course-v1:edX+R+restricted", restriction_type="custom-b2b-enterprise"),
    ]
    open_edx.documents.replace([course("edX+R", *runs)])

    [[found]] = discovery.search({"content_type": "course"})

    assert [each["key"] for each in found["course_runs"]] == ["course-v1:edX+R+now"]


def test_restricted_runs_are_found_on_request(open_edx: OpenEdxSandbox, discovery: DiscoveryClient) -> None:
    restricted = run("course-v1:edX+R+restricted", restriction_type="custom-b2b-enterprise")
    open_edx.documents.replace([course("edX+R", run("course-v1:edX+R+1"), restricted)])

    [[as_course]] = discovery.search_restricted("course", ["edX+R"])
    found = keys_of(discovery.search_restricted("courserun", [restricted["key"]]))
    [[full]] = discovery.read_courses(["edX+R"], include_restricted=True)

    assert len(as_course["course_runs"]) == len(full["course_runs"]) == 2
    assert found == [restricted["key"]]


def test_full_documents_are_read_50_keys_at_a_time(open_edx: OpenEdxSandbox, discovery: DiscoveryClient) -> None:
    keys = [f"edX+{number:03}" for number in range(120)]
    open_edx.documents.replace([course(key) for key in keys])

    assert keys_of(discovery.read_courses([*keys, *keys])) == keys
    assert open_edx.calls[api.COURSES] == 3


def test_long_keys_do_not_make_an_endless_url(open_edx: OpenEdxSandbox, discovery: DiscoveryClient) -> None:
    keys = [f"edX+{'é' * 200}{number}" for number in range(20)]
    open_edx.documents.replace([course(key) for key in keys])

    assert sorted(keys_of(discovery.read_courses(keys))) == sorted(keys)
    assert open_edx.calls[api.COURSES] > 1


def test_a_course_that_discovery_does_not_return_has_no_document(
    open_edx: OpenEdxSandbox, discovery: DiscoveryClient
) -> None:
    open_edx.documents.put([course("edX+Hidden")])
    open_edx.unanswered = ["edX+Hidden"]

    assert keys_of(discovery.read_courses(["edX+DemoX", "edX+Hidden"])) == ["edX+DemoX"]


def test_changed_courses_are_those_since_a_time(open_edx: OpenEdxSandbox, discovery: DiscoveryClient) -> None:
    now = datetime.now(UTC)
    open_edx.documents.now = lambda: now + timedelta(hours=1)
    open_edx.documents.put([course("edX+New")])

    assert keys_of(discovery.changed_courses(now + timedelta(minutes=30))) == ["edX+New"]


def test_pages_of_full_documents_may_be_smaller_than_requested(
    open_edx: OpenEdxSandbox, discovery: DiscoveryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MAX_PAGE_SIZE", 7)
    open_edx.documents.replace([course(f"edX+{number:02}") for number in range(30)])

    pages = list(discovery.changed_courses(datetime(2020, 1, 1, tzinfo=UTC)))

    assert [len(page) for page in pages] == [7, 7, 7, 7, 2]
    assert len(set(keys_of(iter(pages)))) == 30


def test_programs_and_reviews_are_read(open_edx: OpenEdxSandbox, discovery: DiscoveryClient) -> None:
    demo = program("Demo", "edX+DemoX")
    open_edx.documents.put([demo, course("edX+DemoX", reviews_count=3, avg_course_rating=4.5)])

    [[full]] = discovery.read_programs([demo["uuid"]])
    [[review]] = discovery.read_reviews()

    assert [each["key"] for each in full["courses"]] == ["edX+DemoX"]
    assert (review["course_key"], review["reviews_count"], review["avg_course_rating"]) == ("edX+DemoX", 3, 4.5)


# --- failures: each is an error, never an empty or a shorter list -----------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_temporary_failure_is_repeated_with_growing_pauses(
    open_edx: OpenEdxSandbox, discovery: DiscoveryClient, slept: list[float], status: int
) -> None:
    fail(open_edx, status=status, times=3)

    assert keys_of(discovery.search({"content_type": "course"})) == ["edX+DemoX"]
    assert slept == [2, 4, 8]


@pytest.mark.parametrize("kind", [FaultKind.REFUSE, FaultKind.DROP, FaultKind.TRUNCATE])
def test_a_broken_connection_is_repeated(
    open_edx: OpenEdxSandbox, discovery: DiscoveryClient, slept: list[float], kind: FaultKind
) -> None:
    fail(open_edx, kind)

    assert keys_of(discovery.search({"content_type": "course"})) == ["edX+DemoX"]
    assert slept == [2]


def test_a_requested_wait_is_kept(open_edx: OpenEdxSandbox, discovery: DiscoveryClient, slept: list[float]) -> None:
    fail(open_edx, status=429, retry_after="7")

    list(discovery.search({}))

    assert slept == [7]


def test_a_long_wait_is_left_to_the_caller(
    open_edx: OpenEdxSandbox, discovery: DiscoveryClient, slept: list[float]
) -> None:
    fail(open_edx, status=429, retry_after="3600")

    with pytest.raises(RateLimitedError) as raised:
        list(discovery.search({}))

    assert raised.value.retry_after_seconds == 3600
    assert slept == []


@pytest.mark.parametrize(
    ("how", "kind", "sentence"),
    [
        ({"status": 503}, UnreachableError, "Course-discovery returned 503 for POST"),
        ({"status": 429}, RateLimitedError, "Course-discovery returned 429 for POST"),
        ({"status": 401}, CredentialsError, "It rejected the token."),
        ({"status": 403}, CredentialsError, "needs access to course-discovery."),
        ({"status": 400}, RequestRejectedError, "Check the content filter"),
        ({"status": 404}, RequestRejectedError, "it ends with /api/v1."),
        ({"status": 301}, RequestRejectedError, "Set DISCOVERY_SERVICE_API_URL to the new address."),
        ({"status": 200, "body": PAGE}, UnreadableResponseError, "instead of JSON. Check DISCOVERY_SERVICE_API_URL."),
        (
            {"status": 200, "body": '{"count": 1,', "content_type": "application/json"},
            UnreadableResponseError,
            "returned invalid JSON",
        ),
        *(
            (
                {"status": 200, "body": body, "content_type": "application/json"},
                UnreadableResponseError,
                "returned an invalid page of search/all/",
            )
            for body in (
                *("[]", "null", "{}", '{"count": "1", "next": null, "results": []}'),
                '{"count": 1, "next": null, "results": ["edX+DemoX"]}',
                '{"count": 1, "next": null, "results": null}',
                '{"count": -1, "next": null, "results": []}',
            )
        ),
        (
            {"status": 200, "body": '{"count": 0, "next": "x", "results": []}', "content_type": "application/json"},
            IncompleteListError,
            "promised 0 results",
        ),
    ],
)
@pytest.mark.parametrize("page", [1, 2])
def test_a_failed_page_fails_the_list(
    open_edx: OpenEdxSandbox,
    discovery: DiscoveryClient,
    how: dict[str, Any],
    kind: type[ServiceError],
    sentence: str,
    page: int,
) -> None:
    open_edx.documents.replace([course(f"edX+{number:03}") for number in range(150)])
    fail(open_edx, skip=page - 1, times=None, **how)
    if page == 2 and kind is IncompleteListError:
        sentence = "changed while it was read, from 150 to 0 results"

    with pytest.raises(kind) as raised:
        list(discovery.search({"content_type": "course"}))

    assert type(raised.value) is kind
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    "read",
    [
        lambda client: client.search({}),
        lambda client: client.search_restricted("course", ["edX+DemoX"]),
        lambda client: client.read_courses(["edX+DemoX"]),
        lambda client: client.changed_courses(datetime(2020, 1, 1, tzinfo=UTC)),
        lambda client: client.read_programs(["e29e8677-5f34-51a3-a087-5d23813ee193"]),
        lambda client: client.read_reviews(),
    ],
)
def test_every_list_repeats_and_then_fails(
    open_edx: OpenEdxSandbox, discovery: DiscoveryClient, slept: list[float], read: Callable[[Any], Iterator[Any]]
) -> None:
    fail(open_edx, times=None)

    with pytest.raises(UnreachableError):
        list(read(discovery))

    assert slept == [2, 4, 8, 16]


@pytest.mark.parametrize("lost", [1, 100])
def test_a_page_that_lacks_results_fails_the_list(
    open_edx: OpenEdxSandbox, discovery: DiscoveryClient, lost: int
) -> None:
    open_edx.documents.replace([course(f"edX+{number:03}") for number in range(150)])
    open_edx.lost_results = lost

    with pytest.raises(
        IncompleteListError, match=r"^Course-discovery promised 150 results of search/all/ and returned"
    ):
        list(discovery.search({"content_type": "course"}))


def test_a_list_that_changes_between_its_pages_fails(open_edx: OpenEdxSandbox, discovery: DiscoveryClient) -> None:
    open_edx.documents.replace([course(f"edX+{number:03}") for number in range(150)])
    pages = discovery.search({"content_type": "course"})
    next(pages)
    open_edx.documents.remove(["edX+000"])

    with pytest.raises(IncompleteListError, match="from 150 to 149 results"):
        list(pages)


def test_a_response_that_is_too_large_is_not_read(discovery: DiscoveryClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_client, "MAX_RESPONSE_BYTES", 100)

    with pytest.raises(UnreadableResponseError, match="larger than 100 bytes"):
        list(discovery.search({}))


def test_an_endless_response_ends(
    open_edx: OpenEdxSandbox, discovery: DiscoveryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_client, "ATTEMPT_SECONDS", 0.5)
    fail(open_edx, FaultKind.DRIP, delay_seconds=0.3, times=None)

    with pytest.raises(UnreachableError, match=r"did not respond to POST .*/search/all/ within 0.5 seconds."):
        list(discovery.search({}))


def test_a_silent_server_times_out(
    open_edx: OpenEdxSandbox, discovery: DiscoveryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_client, "READ_TIMEOUT_SECONDS", 0.1)
    fail(open_edx, FaultKind.DELAY, delay_seconds=0.5, times=None)

    with pytest.raises(UnreachableError, match="timed out"):
        list(discovery.search({}))


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_one_token_serves_all_requests(open_edx: OpenEdxSandbox, discovery: DiscoveryClient) -> None:
    list(discovery.search({}))
    list(discovery.read_reviews())

    assert open_edx.calls[api.TOKEN] == 1


def test_wrong_credentials_are_reported_once_and_without_the_secret(
    open_edx: OpenEdxSandbox, settings: Settings, slept: list[float]
) -> None:
    settings.OAUTH2_CLIENT_SECRET = "a-wrong-secret"

    with DiscoveryClient(sleep=slept.append) as client, pytest.raises(CredentialsError) as raised:
        list(client.search({}))

    assert "Check OAUTH2_CLIENT_ID and OAUTH2_CLIENT_SECRET." in str(raised.value)
    assert "a-wrong-secret" not in str(raised.value)
    assert slept == []
    assert open_edx.calls[api.SEARCH] == 0


def test_a_token_endpoint_that_fails_is_asked_again(
    open_edx: OpenEdxSandbox, discovery: DiscoveryClient, slept: list[float]
) -> None:
    fail(open_edx, operation=api.TOKEN, status=503)

    assert keys_of(discovery.search({"content_type": "course"})) == ["edX+DemoX"]
    assert slept == [2]


def test_a_response_that_repeats_the_token_does_not_reveal_it(
    open_edx: OpenEdxSandbox, discovery: DiscoveryClient
) -> None:
    list(discovery.search({}))
    [token] = open_edx.tokens
    fail(open_edx, status=403, body=f'{{"detail": "{token}"}}', content_type="application/json")

    with pytest.raises(CredentialsError) as raised:
        list(discovery.search({}))

    assert token not in str(raised.value)


def test_nothing_is_read_without_an_address(settings: Settings) -> None:
    settings.DISCOVERY_SERVICE_API_URL = ""

    with pytest.raises(NotConfiguredError, match="DISCOVERY_SERVICE_API_URL is not set"):
        DiscoveryClient()


def test_an_unreachable_server_is_named(settings: Settings, open_edx: OpenEdxSandbox, slept: list[float]) -> None:
    del open_edx
    settings.DISCOVERY_SERVICE_API_URL = f"http://127.0.0.1:{free_port()}/api/v1"

    with DiscoveryClient(sleep=slept.append) as client, pytest.raises(UnreachableError) as raised:
        list(client.search({}))

    assert str(raised.value).startswith("Course-discovery is unreachable: no connection")
    assert str(raised.value).endswith("Check that it is running, and check DISCOVERY_SERVICE_API_URL.")
    assert len(slept) == 4
