"""Finding, adopting, creating and listing courses on an in-memory Canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.domain import ItemResult, Outcome, RemoteItem
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RetryableError
from enterprise_catalog.integrated_channels.sync.transmitter import Transmitter
from enterprise_catalog.sandbox.canvas.api import CanvasSandbox
from enterprise_catalog.sandbox.canvas.settings import SUFFICIENT_PERMISSIONS
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.canvas.connection import (
    CHANGE,
    CREATE,
    LIST,
    LOOK,
    TOKEN,
    add,
    connected,
    outgoing,
    states,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.integrated_channels.channels.canvas.channel import Canvas

NOT_FOUND = '{"errors": [{"message": "The specified resource does not exist."}]}'
WITHOUT_SIS = SUFFICIENT_PERMISSIONS - {"read_sis"}


# --- find -----------------------------------------------------------------------------------------------------------


def test_it_finds_what_is_there_by_key_and_leaves_the_rest_out(canvas: CanvasSandbox, channel: Canvas) -> None:
    one, other = add(canvas, "A+1"), add(canvas, "course-v1:A+B+C/ä & 漢")

    assert channel.find(["A+1", "Z", "course-v1:A+B+C/ä & 漢"]) == {"A+1": one, "course-v1:A+B+C/ä & 漢": other}
    assert canvas.calls == {TOKEN: 1, LOOK: 3}


@pytest.mark.parametrize("state", ["claimed", "available", "completed", "deleted"])
def test_it_finds_a_course_in_any_state(canvas: CanvasSandbox, channel: Canvas, state: str) -> None:
    course = add(canvas, "A", workflow_state=state)

    assert channel.find(["A"]) == {"A": course}


@given(st.text(min_size=1, max_size=255).filter(lambda key: "\0" not in key))
def test_any_key_finds_its_course_and_no_other(key: str) -> None:
    canvas = CanvasSandbox()
    course = add(canvas, key)
    for other in {key.strip(), f"{key} ", f"{key}.json", key.swapcase(), f"hex:{key}", key[:-1]} - {key}:
        add(canvas, other)

    assert connected(canvas).find([key]) == {key: course}


def test_a_course_with_another_key_is_not_adopted() -> None:
    answer = {"id": 7, "workflow_state": "available", "integration_id": "a"}
    channel = connected(answering(httpx.Response(200, json=answer)))

    assert channel.find(["A"]) == {}


def test_keys_that_are_not_shown_stop_the_run_instead_of_being_guessed(canvas: CanvasSandbox, channel: Canvas) -> None:
    canvas.permissions = WITHOUT_SIS
    add(canvas, "A")

    with pytest.raises(ConfigurationError, match="the permission 'SIS Data - read'"):
        channel.find(["A"])


# --- create ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201])
def test_a_create_publishes_the_course_sets_its_image_and_returns_its_id(status: Literal[200, 201]) -> None:
    canvas = CanvasSandbox(created_status=status)

    [result] = connected(canvas).create([outgoing("A")])

    [course] = canvas.content()
    assert result == ItemResult("A", Outcome.DONE, remote_id=str(course["id"]))
    assert course["image_download_url"] == "https://img.example.org/data.jpg"
    assert canvas.offered() == {"A": "Course A"}
    assert canvas.calls == {TOKEN: 1, CREATE: 1, CHANGE: 1}


def test_a_course_without_an_image_takes_one_call(canvas: CanvasSandbox, channel: Canvas) -> None:
    channel.create([outgoing("A", image_url=None)])

    assert canvas.offered() == {"A": "Course A"}
    assert canvas.calls == {TOKEN: 1, CREATE: 1}


def test_a_course_that_is_made_and_not_published_is_published_by_a_second_call(canvas: CanvasSandbox) -> None:
    created = {"id": 101, "workflow_state": "unpublished", "integration_id": "A"}
    add(canvas, "A")
    inner = httpx.WSGITransport(app=canvas)

    def answer(request: httpx.Request) -> httpx.Response:
        made_up = httpx.Response(200, json=created)
        return made_up if request.url.path.endswith("/accounts/self/courses") else inner.handle_request(request)

    [result] = connected(httpx.MockTransport(answer)).create([outgoing("A", image_url=None)])

    assert result.outcome is Outcome.DONE
    assert states(canvas) == {"A": "available"}


@pytest.mark.parametrize("state", ["available", "completed", "deleted"])
def test_a_taken_key_is_adopted_at_once_in_any_state_of_its_course(
    canvas: CanvasSandbox, channel: Canvas, state: str
) -> None:
    course = add(canvas, "A", workflow_state=state)

    transmission = Transmitter(channel).transmit([outgoing("A", may_be_there=False)])

    assert transmission.results["A"].outcome is Outcome.DONE
    assert transmission.results["A"].remote_id == course
    assert canvas.offered() == {"A": "Course A"}
    assert len(canvas.content()) == 1
    assert canvas.calls[CREATE] == 1


def test_a_course_that_was_made_after_we_had_looked_is_left_to_the_next_run(
    canvas: CanvasSandbox, channel: Canvas
) -> None:
    add(canvas, "A")

    with pytest.raises(RetryableError, match="Canvas has the course, although the look-up did not find it"):
        channel.create([outgoing("A")])


def test_a_look_up_that_is_behind_makes_no_second_course_and_blames_none(
    canvas: CanvasSandbox, channel: Canvas
) -> None:
    add(canvas, "A")
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=LOOK, status=404, body=NOT_FOUND))

    behind = Transmitter(channel).transmit([outgoing("A")]).results["A"]
    later = Transmitter(channel).transmit([outgoing("A")]).results["A"]

    assert behind.outcome is Outcome.RETRY
    assert later.outcome is Outcome.DONE
    assert len(canvas.content()) == 1


def test_a_key_that_is_taken_by_an_inaccessible_course_is_rejected(canvas: CanvasSandbox, channel: Canvas) -> None:
    add(canvas, "A")
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=LOOK, status=404, body=NOT_FOUND, times=None))

    result = Transmitter(channel).transmit([outgoing("A", may_be_there=False)]).results["A"]

    assert (result.outcome, result.vendor_code) == (Outcome.REJECTED, "integration_id")
    assert result.message == 'Canvas: integration_id: Integration ID "A" is already in use'


def test_what_canvas_does_not_take_is_refused_in_its_own_words(canvas: CanvasSandbox, channel: Canvas) -> None:
    item = outgoing("A", may_be_there=False, name="x" * 256, default_view="home")

    result = Transmitter(channel).transmit([item]).results["A"]

    assert (result.outcome, result.vendor_code, result.status_code) == (Outcome.REJECTED, "name,default_view", 400)
    assert result.message == (
        "Canvas: name: is too long (maximum is 255 characters); default_view: Home page is not valid"
    )
    assert canvas.content() == []


def test_a_rejected_image_is_reported_and_the_course_is_created(canvas: CanvasSandbox, channel: Canvas) -> None:
    result = Transmitter(channel).transmit([outgoing("A", image_url="no address")]).results["A"]

    assert (result.outcome, result.may_have_been_created) == (Outcome.REJECTED, True)
    assert canvas.offered() == {"A": "Course A"}
    assert result.message == "Canvas: image_url: image_url is not a valid URL"


@pytest.mark.parametrize("kind", [FaultKind.ANSWER, FaultKind.REPLACE, FaultKind.REFUSE, FaultKind.DROP])
@pytest.mark.parametrize("operation", [CREATE, CHANGE])
def test_an_aborted_create_is_finished_by_the_next_attempt_without_a_second_course(
    canvas: CanvasSandbox, operation: str, kind: FaultKind
) -> None:
    canvas.faults.add(Fault(kind=kind, operation=operation))

    first = Transmitter(connected(canvas)).transmit([outgoing("A", may_be_there=False)])
    second = Transmitter(connected(canvas)).transmit([outgoing("A")])

    assert first.results["A"].outcome is Outcome.RETRY
    assert first.results["A"].may_have_been_created
    assert second.results["A"].outcome is Outcome.DONE
    [course] = canvas.content()
    assert course["image_download_url"] == "https://img.example.org/data.jpg"
    assert canvas.offered() == {"A": "Course A"}


def test_a_canvas_that_keeps_no_integration_ids_stops_the_run_at_the_first_course(canvas: CanvasSandbox) -> None:
    canvas.keeps_integration_ids = False

    transmission = Transmitter(connected(canvas, parallel_calls=1)).transmit([outgoing("A"), outgoing("B")])

    assert "instead of 'A'" in str(transmission.stopped_by)
    assert len(canvas.content()) == 1


@pytest.mark.parametrize(
    "body", ["[]", "{}", '"x"', '{"id": "x", "workflow_state": "available"}', "<html>Maintenance</html>", ""]
)
@pytest.mark.parametrize("operation", [CREATE, CHANGE, LOOK])
def test_an_answer_that_is_something_else_leaves_it_open_what_was_done(
    canvas: CanvasSandbox, channel: Canvas, operation: str, body: str
) -> None:
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=operation, status=200, body=body))
    course = add(canvas, "B")
    call: dict[str, Callable[[], object]] = {
        CREATE: lambda: channel.create([outgoing("A")]),
        CHANGE: lambda: channel.update([outgoing("B", remote_id=course)]),
        LOOK: lambda: channel.find(["A"]),
    }

    with pytest.raises(RetryableError):
        call[operation]()


# --- list -----------------------------------------------------------------------------------------------------------


def test_it_lists_all_pages_of_courses_with_a_key_in_any_state(canvas: CanvasSandbox, channel: Canvas) -> None:
    for number in range(205):
        add(canvas, f"K{number:03}")
    canvas.table.add(name="Not ours")
    add(canvas, "gone", workflow_state="deleted")
    add(canvas, "shown", workflow_state="available", name="Shown", account_id=2)

    listed = {item.content_key: item for item in channel.list_items()}

    assert len(listed) == 207
    assert listed["gone"].is_offered is False
    assert listed["shown"] == RemoteItem(
        "shown",
        "308",
        is_offered=True,
        title="Shown",
        fields={"name": "Shown", "course_code": "", "integration_id": "shown", "default_view": "modules"},
    )
    assert canvas.calls[LIST] == 3


def test_what_was_sent_is_listed_as_it_was_sent(channel: Canvas) -> None:
    item = outgoing("A")
    channel.create([item])

    [listed] = channel.list_items()

    assert listed.fields.keys() <= item.payload.keys()
    assert {name: item.payload[name] for name in listed.fields} == listed.fields


def test_a_list_without_keys_is_an_error_and_not_an_empty_list(canvas: CanvasSandbox, channel: Canvas) -> None:
    canvas.permissions = WITHOUT_SIS
    add(canvas, "A")

    with pytest.raises(ConfigurationError, match="the permission 'SIS Data - read'"):
        list(channel.list_items())


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("http://elsewhere.test/api/v1/accounts/self/courses?page=2", "on another host, http://elsewhere.test"),
        ("http://canvas.test:81/api/v1/accounts/self/courses?page=2", "on another host, http://canvas.test:81"),
        ("https://canvas.test/api/v1/accounts/self/courses?page=2", "on another host, https://canvas.test"),
        ("http://canvas.test/api/v1/accounts/self/courses?page=2", "links back to a page that was already read"),
    ],
)
def test_the_token_follows_no_link_to_elsewhere_or_in_a_circle(link: str, reason: str) -> None:
    channel = connected(answering(httpx.Response(200, json=[], headers={"Link": f'<{link}>; rel="next"'})))

    with pytest.raises(RetryableError, match=reason):
        list(channel.list_items())


def answering(answer: httpx.Response) -> httpx.MockTransport:
    """Return a Canvas that sends ``answer`` to all requests except for tokens. Asserts that no other host is called."""
    asked: list[httpx.URL] = []

    def answer_to(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        assert len(asked) < 10, "it is asked for ever"
        assert (request.url.scheme, request.url.host, request.url.port) == ("http", "canvas.test", None)
        if request.url.path == "/login/oauth2/token":
            return httpx.Response(200, json={"access_token": "a token of the tests"})
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    return httpx.MockTransport(answer_to)
