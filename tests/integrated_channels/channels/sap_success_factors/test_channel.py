"""Imports at the SAP sandbox: one body for all actions, and the meaning of each response."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from enterprise_catalog.integrated_channels.domain import Action, CourseRun, ItemResult, Outcome, Outgoing, RateLimit
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RejectedError,
    RetryableError,
    ThrottledError,
)
from enterprise_catalog.integrated_channels.sync.transmitter import Transmitter
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.sap.api import IMPORT, TOKEN_SERVER, BadItem
from tests.integrated_channels.channels.items import an_item
from tests.integrated_channels.channels.sap_success_factors.connection import connected, leaving, outgoing

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.sap_success_factors.channel import SAPSuccessFactors
    from enterprise_catalog.sandbox.sap.api import SAPSandbox


def done(key: str) -> ItemResult:
    return ItemResult(key, Outcome.DONE, remote_id=key, status_code=200)


def updated(item: Outgoing) -> Outgoing:
    return Outgoing(item.content_key, item.payload, item.content_key, action=Action.UPDATE, title=item.title)


def test_one_import_creates_updates_and_retires(sap: SAPSandbox, channel: SAPSuccessFactors) -> None:
    channel.apply([outgoing("A"), outgoing("B"), outgoing("C")])
    changed = outgoing("A", title=[{"locale": "English", "value": "Another title"}])

    results = channel.apply([outgoing("D"), updated(changed), leaving("B")])

    assert results == [done("D"), done("A"), done("B")]
    assert sap.offered() == {"A": "Another title", "C": "Course C", "D": "Course D"}
    assert sap.calls == {TOKEN_SERVER: 1, IMPORT: 2}


def test_a_repeat_changes_nothing(sap: SAPSandbox, channel: SAPSuccessFactors) -> None:
    items = [outgoing("A"), leaving("B")]
    channel.apply(items)
    before = sap.content()

    assert channel.apply(items) == [done("A"), done("B")]
    assert sap.content() == before


@pytest.mark.parametrize(("policy", "status"), [("deactivate", "INACTIVE"), ("delete", "DELETED")])
def test_an_item_that_leaves_gets_the_status_of_the_policy(sap: SAPSandbox, policy: str, status: str) -> None:
    channel = connected(sap, delete_policy=policy)
    channel.apply([outgoing("A")])

    channel.apply([leaving("A")])

    assert [(course["courseID"], course["status"]) for course in sap.content()] == [("A", status)]


@pytest.mark.parametrize("policy", ["deactivate", "delete"])
def test_what_comes_back_is_offered_again(sap: SAPSandbox, policy: str) -> None:
    channel = connected(sap, delete_policy=policy)
    channel.apply([outgoing("A")])
    channel.apply([leaving("A")])

    channel.apply([outgoing("A")])

    assert sap.offered() == {"A": "Course A"}
    assert len(sap.content()) == 1


def test_a_delete_of_an_item_whose_title_is_not_known_names_it_by_its_key(
    sap: SAPSandbox, channel: SAPSuccessFactors
) -> None:
    channel.apply([leaving("A", title="")])

    assert sap.content()[0]["title"] == [{"locale": "English", "value": "A"}]


def test_where_sap_wants_content_of_retired_courses_too_a_setting_gives_it(sap: SAPSandbox) -> None:
    sap.needs_content = True
    with pytest.raises(RejectedError, match="content is missing"):
        connected(sap).apply([leaving("A")])

    assert connected(sap, retired_launch_url="https://learn.example.org/").apply([leaving("A")]) == [done("A")]


# --- responses --------------------------------------------------------------------------------------------------------


def test_a_course_that_the_answer_leaves_out_is_unknown_and_the_others_are_done(
    sap: SAPSandbox, channel: SAPSuccessFactors
) -> None:
    sap.bad_item = BadItem.IS_LEFT_OUT

    results = channel.apply([outgoing("A"), outgoing("B", title=[]), outgoing("C")])

    assert [(result.content_key, result.outcome, result.vendor_code) for result in results] == [
        ("A", Outcome.DONE, ""),
        ("B", Outcome.RETRY, "unknown"),
        ("C", Outcome.DONE, ""),
    ]


def test_courses_in_the_answer_that_are_not_ours_count_for_nothing(sap: SAPSandbox, channel: SAPSuccessFactors) -> None:
    sap.echoes_foreign_courses = True

    assert channel.apply([outgoing("A")]) == [done("A")]


def answering(sap: SAPSandbox, body: Any, *, status: int = 200) -> None:
    """Make SAP respond to the next import with ``body``."""
    sap.faults.add(Fault(kind=FaultKind.ANSWER, operation=IMPORT, status=status, body=json.dumps(body)))


@pytest.mark.parametrize(
    "echoed",
    [
        {"courseID": "a"},
        {"courseID": "A "},
        {"courseID": "A", "providerID": "OTHER"},
        {"courseID": "A", "providerID": "EDX", "status": "INACTIVE"},
    ],
)
def test_an_echo_that_is_not_of_what_was_sent_is_no_success(
    sap: SAPSandbox, channel: SAPSuccessFactors, echoed: dict[str, str]
) -> None:
    answering(sap, {"ocnCourses": [echoed]})

    [result] = channel.apply([outgoing("A")])

    assert (result.outcome, result.vendor_code) == (Outcome.RETRY, "unknown")


@pytest.mark.parametrize(
    "body", [{}, [], None, "done", {"ocnCourses": None}, {"ocnCourses": ["A"]}, {"ocnCourses": {}}]
)
def test_an_answer_that_is_no_echo_leaves_it_open_what_was_done(
    sap: SAPSandbox, channel: SAPSuccessFactors, body: Any
) -> None:
    answering(sap, body)

    with pytest.raises(RetryableError):
        channel.apply([outgoing("A")])


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.TRUNCATE, FaultKind.REFUSE, FaultKind.REPLACE])
def test_an_answer_that_does_not_come_through_leaves_it_open(
    sap: SAPSandbox, channel: SAPSuccessFactors, kind: FaultKind
) -> None:
    sap.faults.add(Fault(kind=kind, operation=IMPORT))

    with pytest.raises(RetryableError):
        channel.apply([outgoing("A")])

    assert channel.apply([outgoing("A")]) == [done("A")]
    assert len(sap.content()) == 1


# --- rejections -------------------------------------------------------------------------------------------------------


def test_a_refused_import_is_rejected_as_a_whole_in_saps_own_words(sap: SAPSandbox, channel: SAPSuccessFactors) -> None:
    with pytest.raises(RejectedError) as refusal:
        channel.apply([outgoing("A"), outgoing("B", status="SOMETIMES")])

    assert refusal.value.message.startswith("The LMS returned 400: Invalid course: status:")
    assert (refusal.value.status_code, refusal.value.vendor_code) == (400, "OCN_INVALID")
    assert sap.content() == []


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        ({"errorCode": "LMS-1", "message": "No."}, "LMS-1", "No."),
        ({"code": 4711, "message": "No."}, "4711", "No."),
        ({"message": "No."}, "", "No."),
        ("No.", "", '{"error": "No."}'),
    ],
)
def test_each_form_of_saps_errors_is_read(
    sap: SAPSandbox, channel: SAPSuccessFactors, error: Any, code: str, words: str
) -> None:
    answering(sap, {"error": error}, status=400)

    with pytest.raises(RejectedError) as refusal:
        channel.apply([outgoing("A")])

    assert (refusal.value.vendor_code, refusal.value.message) == (code, f"The LMS returned 400: {words}")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"provider_id": "ACME"},
            "the provider 'ACME', which all courses have. Register it in SAP, or correct provider_id.",
        ),
        (
            {"default_locale": "Klingon"},
            "the locale 'Klingon', which all courses have. Register it in SAP, or correct default_lo",
        ),
        ({"additional_locales": ("Klingon",)}, "the locale 'Klingon', which all courses have."),
    ],
)
def test_a_setting_that_makes_every_course_wrong_stops_the_run_with_a_reason(
    sap: SAPSandbox, settings: dict[str, Any], expected: str
) -> None:
    channel = connected(sap, **settings)
    items = [Outgoing(key, channel.transform(an_item(key))) for key in ("A", "B", "C")]

    transmission = Transmitter(channel).transmit(items)

    assert isinstance(transmission.stopped_by, ConfigurationError)
    assert transmission.stopped_by.message.startswith(f"SAP rejects {expected}")
    assert transmission.stopped_by.message.endswith((" is not registered", " unknown locale Klingon"))
    assert sap.calls[IMPORT] == 1


@pytest.mark.parametrize(
    "words",
    [
        "provider 'EDX' does not exist",
        "Invalid provider ID: EDX",
        "The locale name English is not enabled",
        "unsupported locale English",
    ],
)
def test_a_setting_that_is_not_known_is_understood_in_several_words(
    sap: SAPSandbox, channel: SAPSuccessFactors, words: str
) -> None:
    answering(sap, {"error": {"message": words}}, status=400)

    with pytest.raises(ConfigurationError, match="SAP rejects"):
        channel.apply([outgoing("A"), outgoing("B")])


@pytest.mark.parametrize(
    "words",
    [
        "Invalid course: the title in locale English is too long",
        "Invalid content of provider EDX",
        "provider EDXX is not registered",
        "unknown locale Spanish",
        "English is not a title",
    ],
)
def test_what_may_be_the_fault_of_an_item_is_left_to_be_divided(
    sap: SAPSandbox, channel: SAPSuccessFactors, words: str
) -> None:
    answering(sap, {"error": {"message": words}}, status=400)

    with pytest.raises(RejectedError):
        channel.apply([outgoing("A"), outgoing("B")])


def test_a_locale_that_only_some_courses_have_is_not_the_settings(sap: SAPSandbox) -> None:
    channel = connected(sap, default_locale="Klingon", run_locales={"en-us": "English"})
    run = replace(an_item("R", content_type="courserun"), run=CourseRun(language="en-us"))

    with pytest.raises(RejectedError):
        channel.apply([Outgoing(item.content_key, channel.transform(item)) for item in (an_item("A"), run)])


@pytest.mark.parametrize(("retry_after", "wait"), [(None, 300), ("7", 300), ("3600", 3_600)])
def test_a_429_lets_five_minutes_pass_at_least(
    sap: SAPSandbox, channel: SAPSuccessFactors, retry_after: str | None, wait: float
) -> None:
    body = '{"error": {"message": "API calling limit exceeded, Try later"}}'
    sap.faults.add(Fault(kind=FaultKind.ANSWER, operation=IMPORT, status=429, body=body, retry_after=retry_after))

    with pytest.raises(ThrottledError, match="API calling limit exceeded") as throttled:
        channel.apply([outgoing("A")])

    assert throttled.value.retry_after_seconds == wait


def test_a_longer_window_is_waited_for_too(sap: SAPSandbox) -> None:
    sap.faults.add(Fault(kind=FaultKind.ANSWER, operation=IMPORT, status=429))

    with pytest.raises(ThrottledError) as throttled:
        connected(sap, window_seconds=900).apply([outgoing("A")])

    assert throttled.value.retry_after_seconds == 900


def test_an_account_that_may_not_import_stops_the_run(sap: SAPSandbox, channel: SAPSuccessFactors) -> None:
    sap.may_import = False

    with pytest.raises(CredentialsError, match="not allowed"):
        channel.apply([outgoing("A")])


def test_a_wrong_base_url_is_no_fault_of_the_items(sap: SAPSandbox, channel: SAPSuccessFactors) -> None:
    sap.faults.add(Fault(kind=FaultKind.ANSWER, operation=IMPORT, status=404, body="<h1>Not here</h1>"))

    with pytest.raises(ConfigurationError, match=r"404.*Check the base URL\."):
        channel.apply([outgoing("A")])


@pytest.mark.parametrize("status", [500, 503])
def test_an_error_of_saps_own_may_pass(sap: SAPSandbox, channel: SAPSuccessFactors, status: int) -> None:
    sap.faults.add(Fault(kind=FaultKind.ANSWER, operation=IMPORT, status=status))

    with pytest.raises(RetryableError):
        channel.apply([outgoing("A")])


# --- limits ---------------------------------------------------------------------------------------------------------


def test_a_full_import_is_taken_and_one_more_course_is_not(channel: SAPSuccessFactors) -> None:
    full = [outgoing(f"K{number}") for number in range(channel.items_per_call)]

    assert {result.outcome for result in channel.apply(full)} == {Outcome.DONE}
    with pytest.raises(RejectedError, match="No more than 1000"):
        channel.apply([*full, outgoing("One more")])


def test_limits_are_saps_by_default(sap: SAPSandbox, channel: SAPSuccessFactors) -> None:
    other = connected(sap, courses_per_call=200, calls_per_window=3, window_seconds=60)

    assert (channel.items_per_call, channel.rate_limit) == (1_000, RateLimit(1, seconds=300))
    assert (other.items_per_call, other.rate_limit) == (200, RateLimit(3, seconds=60))


def test_only_imports_count_against_the_limit(sap: SAPSandbox) -> None:
    counted = []
    channel = connected(sap, before_each_call=lambda *, is_counted: counted.append(is_counted))
    channel.check_connection()
    channel.apply([outgoing("A")])
    sap.expire_tokens()
    channel.apply([outgoing("B")])

    # Token, token, import; then an import rejected for its token, a new token, and the repeated import.
    assert counted == [False, False, True, True, False, False]
    assert sap.offered().keys() == {"A", "B"}


def test_a_probe_imports_nothing(sap: SAPSandbox, channel: SAPSuccessFactors) -> None:
    assert channel.check_connection() == ()
    assert sap.calls == {TOKEN_SERVER: 1}


def test_the_courses_of_an_import_are_what_the_wire_carries() -> None:
    bodies: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == TOKEN_SERVER:
            return httpx.Response(200, json={"access_token": "token-of-the-day"})
        bodies.append((json.loads(request.content), request.headers["Authorization"], request.headers["Content-Type"]))
        return httpx.Response(200, json=bodies[-1][0])

    item = outgoing("A")
    connected(httpx.MockTransport(answer)).apply([item])

    assert bodies == [({"ocnCourses": [item.payload]}, "Bearer token-of-the-day", "application/json")]
