"""Conformance tests that every push channel passes unchanged; see ``conformance.py``."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.channels.base import PushChannel
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.domain import Action, ContentItem, CourseRun
from enterprise_catalog.integrated_channels.exceptions import (
    ConfigurationError,
    CredentialsError,
    RejectedError,
    ThrottledError,
)
from enterprise_catalog.integrated_channels.sync.transmitter import Transmitter
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories import DAY_ONE
from tests.integrated_channels.channels.conformance import (
    CALLING,
    Connection,
    all_done,
    item_of,
    outcomes,
    secrets_of,
    vendor_answers,
)

if TYPE_CHECKING:
    from tests.integrated_channels.channels.conformance import VendorAnswer

KEYS = ["Northwind+A", "Northwind+B", "Northwind+C"]

#: An HTML page such as sites in maintenance mode and proxies send.
PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head>
  <style>body { font: 1em sans-serif } p > a { color: red }</style>
  <title>Back &amp; better soon</title>
</head><body>
  <script>if (1 < 2) { alert("wait") }</script>
  <h1>We are <em>under maintenance</em></h1>
  <p>Please come back <a href="/later">later</a>.</p>
</body></html>
"""
AWKWARD_TITLES: Final = (
    "R&D",
    "R&amp;D &lt;b&gt;",
    "a < b > c <3",
    "<b>B</b> \"q\" 'q'",
    "ä 漢 🎓",
    "a\u00a0b  c\t",
    "T" * 300,
)


@pytest.fixture(params=CALLING)
def connection(request: pytest.FixtureRequest) -> Connection:
    """Each push channel in turn, connected to its own sandbox."""
    return Connection(request.param)


# --- normal operation -------------------------------------------------------------------------------------------------


def test_what_is_created_is_offered_and_known_by_its_id(connection: Connection) -> None:
    transmission = connection.send(Action.CREATE, *KEYS, unseen=True)

    assert outcomes(transmission) == all_done(*KEYS)
    assert connection.offered.keys() == set(KEYS)
    assert all(key_has_its_title(connection, key) for key in KEYS)
    if isinstance(connection.channel, PushChannel):
        assert connection.channel.find(KEYS) == connection.known


def key_has_its_title(connection: Connection, key: str, title: str | None = None) -> bool:
    return (title or f"Course {key}") in connection.offered[key]


def test_an_update_changes_what_is_there_and_nothing_else(connection: Connection) -> None:
    connection.send(Action.CREATE, *KEYS, unseen=True)

    transmission = connection.send(Action.UPDATE, KEYS[0], title="Another title")

    assert outcomes(transmission) == all_done(KEYS[0])
    assert key_has_its_title(connection, KEYS[0], "Another title")
    assert all(key_has_its_title(connection, key) for key in KEYS[1:])
    assert len(connection.offered) == 3


def test_a_delete_takes_it_away_and_a_create_shows_it_again(connection: Connection) -> None:
    connection.send(Action.CREATE, *KEYS, unseen=True)

    assert outcomes(connection.send(Action.DELETE, KEYS[0])) == all_done(KEYS[0])
    assert connection.offered.keys() == set(KEYS[1:])

    connection.connect()
    assert outcomes(connection.send(Action.CREATE, KEYS[0], title="Back again")) == all_done(KEYS[0])
    assert key_has_its_title(connection, KEYS[0], "Back again")


@pytest.mark.parametrize("action", Action)
def test_repeating_is_harmless(connection: Connection, action: Action) -> None:
    connection.send(Action.CREATE, *KEYS, unseen=True)
    once = connection.send(action, KEYS[0])
    held = connection.sandbox.content()

    connection.connect()
    again = connection.send(action, KEYS[0])

    assert outcomes(once) == outcomes(again) == all_done(KEYS[0])
    assert len(connection.sandbox.content()) == len(held)
    assert connection.offered.keys() == set(KEYS[1:] if action is Action.DELETE else KEYS)


@pytest.mark.parametrize("unseen", [True, False])
def test_what_is_there_already_is_adopted(connection: Connection, *, unseen: bool) -> None:
    connection.send(Action.CREATE, KEYS[1], unseen=True)
    connection.known.clear()
    connection.connect()

    transmission = connection.send(Action.CREATE, *KEYS, unseen=unseen, full_description="<p>Ours.</p>")

    assert outcomes(transmission) == all_done(*KEYS)
    assert len(connection.offered) == len(connection.sandbox.content()) == 3


def test_a_delete_of_what_was_never_there_is_done(connection: Connection) -> None:
    assert outcomes(connection.send(Action.DELETE, KEYS[0])) == all_done(KEYS[0])


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
def test_a_course_that_was_removed_manually_is_created_or_gone(connection: Connection, action: Action) -> None:
    connection.send(Action.CREATE, *KEYS, unseen=True)
    connection.sandbox.reset()
    connection.connect()

    transmission = connection.send(action, *KEYS)

    assert outcomes(transmission) == all_done(*KEYS)
    assert connection.offered.keys() == (set(KEYS) if action is Action.UPDATE else set())


# --- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault(kind=FaultKind.ANSWER, status=status, body="", times=None) for status in (500, 502, 503, 504, 408)),
        *(Fault(kind=kind, times=None) for kind in (FaultKind.REFUSE, FaultKind.DROP, FaultKind.TRUNCATE)),
        Fault(kind=FaultKind.ANSWER, status=200, body="<html>We will be back soon</html>", times=None),
        Fault(kind=FaultKind.ANSWER, status=200, body='"something else"', content_type="application/json", times=None),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
@pytest.mark.parametrize("action", Action)
def test_what_may_pass_is_tried_again_and_is_no_success(connection: Connection, action: Action, fault: Fault) -> None:
    connection.send(Action.CREATE, *KEYS, unseen=True)
    connection.connect()
    connection.sandbox.faults.add(fault)

    transmission = connection.send(action, KEYS[0], title="Another title")

    assert outcomes(transmission) == {KEYS[0]: "retry"}
    assert transmission.results[KEYS[0]].message

    connection.sandbox.faults.clear()
    connection.connect()
    assert outcomes(connection.send(action, KEYS[0], title="Another title")) == all_done(KEYS[0])
    assert len(connection.sandbox.content()) == 3


@pytest.mark.parametrize("number", range(6))
def test_an_answer_that_is_lost_leads_to_no_second_item(connection: Connection, number: int) -> None:
    """Drop each response in turn: of a login, of the create, and of the calls that belong to the create."""
    connection.sandbox.faults.add(Fault(kind=FaultKind.DROP, skip=number))

    connection.send(Action.CREATE, KEYS[0], unseen=True)
    connection.sandbox.faults.clear()
    connection.known.clear()
    connection.connect()
    transmission = connection.send(Action.CREATE, KEYS[0])

    assert outcomes(transmission) == all_done(KEYS[0])
    assert len(connection.sandbox.content()) == len(connection.offered) == 1


@pytest.mark.parametrize("action", Action)
def test_429_stops_the_run_for_its_retry_after(connection: Connection, action: Action) -> None:
    connection.send(Action.CREATE, *KEYS, unseen=True)
    connection.sandbox.faults.add(Fault(kind=FaultKind.ANSWER, status=429, body="", retry_after="700", times=None))

    transmission = connection.send(action, *KEYS)

    assert type(transmission.stopped_by) is ThrottledError
    assert transmission.stopped_by.retry_after_seconds == 700
    assert set(outcomes(transmission).values()) == {"throttled"}


def test_dead_credentials_stop_the_configuration(connection: Connection) -> None:
    answer = Fault(
        kind=FaultKind.ANSWER, status=401, body='{"error": "no"}', content_type="application/json", times=None
    )
    connection.sandbox.faults.add(answer)

    transmission = connection.send(Action.CREATE, *KEYS, unseen=True)

    assert isinstance(transmission.stopped_by, CredentialsError | ConfigurationError)
    assert set(outcomes(transmission).values()) == {"skipped"}


@pytest.mark.parametrize("action", Action)
def test_an_account_that_may_do_nothing_stops_the_run_and_refuses_no_item(
    connection: Connection, action: Action
) -> None:
    connection.send(Action.CREATE, *KEYS, unseen=True)
    connection.connect()
    answer = Fault(
        kind=FaultKind.ANSWER, status=403, body='{"error": "no"}', content_type="application/json", times=None
    )
    connection.sandbox.faults.add(answer)

    transmission = connection.send(action, *KEYS)

    assert isinstance(transmission.stopped_by, CredentialsError)
    assert set(outcomes(transmission).values()) == {"skipped"}


@pytest.mark.parametrize("status", [200, 400, 403, 404, 500, 503])
def test_an_html_page_is_named_in_one_line_without_markup(connection: Connection, status: int) -> None:
    connection.sandbox.faults.add(Fault(kind=FaultKind.ANSWER, status=status, body=PAGE, times=None))

    transmission = connection.send(Action.CREATE, *KEYS, unseen=True)

    for result in transmission.results.values():
        assert result.message
        assert len(result.message) < 400
        assert not {"<", ">", "\n"} & set(result.message)


def test_an_address_that_leads_elsewhere_is_a_fault_of_the_configuration(connection: Connection) -> None:
    connection.sandbox.faults.add(Fault(kind=FaultKind.ANSWER, status=302, body="", times=None))

    transmission = connection.send(Action.CREATE, KEYS[0], unseen=True)

    assert isinstance(transmission.stopped_by, ConfigurationError)


@pytest.mark.parametrize(
    ("code", "answer"),
    [pytest.param(code, answer, id=f"{code}-{answer.name}") for code in CALLING for answer in vendor_answers(code)],
)
def test_each_status_of_the_vendors_own_table_leads_to_its_outcome(code: str, answer: VendorAnswer) -> None:
    connection = Connection(code)
    answer.prepare(connection.sandbox)
    connection.sandbox.faults.add(answer.fault)

    transmission = connection.send(Action.CREATE, KEYS[0], unseen=True)

    assert transmission.results[KEYS[0]].outcome is answer.outcome
    assert type(transmission.stopped_by) is (answer.stopped_by or type(None))


def test_a_bad_item_affects_no_other_item_of_its_call(connection: Connection) -> None:
    items = [connection.outgoing(Action.CREATE, key, unseen=True) for key in KEYS]
    items.insert(1, connection.bad_item("Northwind+Bad"))

    transmission = Transmitter(connection.channel).transmit(items)

    assert outcomes(transmission) == all_done(*KEYS) | {"Northwind+Bad": "rejected"}
    assert transmission.results["Northwind+Bad"].message
    assert connection.offered.keys() == set(KEYS)


# --- limits -----------------------------------------------------------------------------------------------------------


def test_the_longest_key_is_taken_and_a_longer_one_is_refused_with_a_reason(connection: Connection) -> None:
    longest = "K" * connection.channel.max_key_length

    assert outcomes(connection.send(Action.CREATE, longest, unseen=True)) == all_done(longest)
    assert list(connection.offered) == [longest]
    if connection.channel.max_key_length < 255:  # The catalog has no keys longer than 255.
        with pytest.raises(RejectedError, match=str(connection.channel.max_key_length)):
            connection.channel.transform(item_of(longest + "K"))


def test_a_call_of_the_most_items_is_taken(connection: Connection) -> None:
    keys = [f"Northwind+{number:04}" for number in range(connection.channel.items_per_call)]

    assert outcomes(connection.send(Action.CREATE, *keys, unseen=True)) == all_done(*keys)
    assert len(connection.offered) == len(keys)


# --- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 422, 500])
def test_no_response_makes_a_message_contain_a_secret(
    connection: Connection, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    credentials = CHANNELS[connection.code].credentials_class.model_validate(connection.sandbox.channel_credentials())
    secrets = secrets_of(credentials)
    echo = " ".join(secrets)
    connection.sandbox.faults.add(Fault(kind=FaultKind.ANSWER, status=status, body=f'["{echo}"]', times=None))

    transmission = connection.send(Action.CREATE, *KEYS, unseen=True)

    outputs = [repr(credentials), repr(connection.channel.credentials), caplog.text]
    outputs += [result.message + result.vendor_code for result in transmission.results.values()]
    if transmission.stopped_by is not None:
        outputs += traceback.format_exception(transmission.stopped_by)
    for secret in secrets:
        for encoding in (secret, quote(secret), quote_plus(secret)):
            assert all(encoding not in text for text in outputs)


# --- properties -------------------------------------------------------------------------------------------------------

texts = st.text(max_size=40) | st.sampled_from(["", "<p>x</p>", "a & b", "“x”", "x" * 400, "\0", "<", "🎓"])
moments = st.none() | st.datetimes(timezones=st.just(DAY_ONE.tzinfo))
numbers = st.none() | st.floats(0, 1_000)
runs = st.builds(
    CourseRun,
    start=moments,
    end=moments,
    is_enrollable=st.none() | st.booleans(),
    pacing=st.sampled_from(["", "self_paced", "instructor_paced"]),
    language=st.sampled_from(["", "en", "en-us", "es-419", "x"]),
    min_effort_hours=numbers,
    max_effort_hours=numbers,
    weeks=numbers,
    estimated_hours=numbers,
)
content_items = st.builds(
    ContentItem,
    content_key=st.text(min_size=1, max_size=255),
    content_type=st.sampled_from(["course", "courserun", "program", "learnerpathway"]),
    updated_at=st.just(DAY_ONE),
    title=texts,
    short_description=texts,
    full_description=texts,
    enrollment_url=texts,
    marketing_url=texts,
    image_url=texts,
    organizations=st.lists(texts, max_size=3).map(tuple),
    course_type=st.sampled_from(["", "verified-audit", "executive-education-2u"]),
    start=moments,
    end=moments,
    languages=st.lists(texts, max_size=3).map(tuple),
    subjects=st.lists(texts, max_size=3).map(tuple),
    skills=st.lists(texts, max_size=3).map(tuple),
    level=texts,
    video_url=texts,
    price_usd=numbers,
    is_available=st.booleans(),
    run=st.none() | runs,
)

_CONNECTIONS = {code: Connection(code) for code in CALLING}


@pytest.mark.parametrize("code", CALLING)
@settings(max_examples=60)
@given(item=content_items)
def test_a_transform_gives_the_same_for_the_same_or_refuses_with_a_sentence(code: str, item: ContentItem) -> None:
    channel = _CONNECTIONS[code].channel

    def translated() -> Any:
        try:
            return channel.transform(item)
        except RejectedError as error:
            return error.message

    once = translated()

    assert translated() == once
    assert not isinstance(once, str) or once.endswith(".")


@pytest.mark.parametrize("code", CHANNELS)
def test_settings_and_credentials_are_described(code: str) -> None:
    for kind in (CHANNELS[code].settings_class, CHANNELS[code].credentials_class):
        for name, field in kind.model_fields.items():
            assert field.description, f"{kind.__name__}.{name}"


def test_a_working_connection_has_no_problems(connection: Connection) -> None:
    before = connection.sandbox.content()

    assert list(connection.channel.check_connection()) == []
    assert connection.sandbox.content() == before


def test_a_list_has_all_existing_courses(connection: Connection) -> None:
    connection.send(Action.CREATE, *KEYS, unseen=True)
    connection.send(Action.DELETE, KEYS[0])
    if not connection.channel.can_list:
        with pytest.raises(NotImplementedError):
            next(iter(connection.channel.list_items()))
        return

    listed = {item.content_key: item for item in connection.channel.list_items()}

    assert {key for key, item in listed.items() if item.is_offered} == set(KEYS[1:])
    assert {key: listed[key].remote_id for key in KEYS[1:]} == {key: connection.known[key] for key in KEYS[1:]}


def test_a_look_up_finds_what_the_list_has(connection: Connection) -> None:
    connection.send(Action.CREATE, *KEYS[:2], unseen=True)
    connection.send(Action.DELETE, KEYS[0])
    if not connection.channel.can_look_up:
        with pytest.raises(NotImplementedError):
            connection.channel.look_up(KEYS[0])
        return

    hidden, shown, absent = (connection.channel.look_up(key) for key in KEYS[:3])

    assert hidden is None or not hidden.is_offered
    assert shown is not None
    assert (shown.content_key, shown.remote_id, shown.is_offered) == (KEYS[1], connection.known[KEYS[1]], True)
    assert absent is None


@pytest.mark.parametrize("title", AWKWARD_TITLES)
@pytest.mark.parametrize("code", [code for code in CALLING if CHANNELS[code].can_list])
def test_a_list_has_texts_as_they_were_sent(code: str, title: str) -> None:
    connection = Connection(code)
    connection.send(Action.CREATE, KEYS[0], unseen=True, title=title)
    payload = connection.channel.transform(item_of(KEYS[0], title=title))

    [listed] = connection.channel.list_items()

    compared = listed.fields.keys() & payload.keys()
    assert compared
    assert {name: listed.fields[name] for name in compared} == {name: payload[name] for name in compared}


def test_more_items_than_a_call_takes_are_several_calls(connection: Connection) -> None:
    connection.channel.items_per_call = 1

    assert outcomes(connection.send(Action.CREATE, *KEYS, unseen=True)) == all_done(*KEYS)
