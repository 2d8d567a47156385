"""Updating, republishing, concluding and deleting courses on an in-memory Canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.integrated_channels.domain import Action, Outcome, Outgoing
from enterprise_catalog.integrated_channels.exceptions import RejectedError, RetryableError
from enterprise_catalog.integrated_channels.sync.transmitter import Transmitter
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.canvas.connection import (
    CHANGE,
    CREATE,
    END,
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
    from enterprise_catalog.sandbox.canvas.api import CanvasSandbox


# --- update ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["claimed", "available", "completed"])
def test_an_update_shows_the_course_with_all_it_has_in_one_call(
    canvas: CanvasSandbox, channel: Canvas, state: str
) -> None:
    course = add(canvas, "A", workflow_state=state, image_url="https://img.example.org/old.jpg")

    [result] = channel.update([outgoing("A", remote_id=course)])

    assert (result.outcome, result.remote_id) == (Outcome.DONE, course)
    [held] = canvas.content()
    assert (held["name"], held["image_download_url"]) == ("Course A", "https://img.example.org/data.jpg")
    assert canvas.offered() == {"A": "Course A"}
    assert canvas.calls == {TOKEN: 1, CHANGE: 1}


def test_an_image_that_is_no_more_is_taken_away(canvas: CanvasSandbox, channel: Canvas) -> None:
    course = add(canvas, "A", image_url="https://img.example.org/old.jpg")

    channel.update([outgoing("A", remote_id=course, image_url=None)])

    [held] = canvas.content()
    assert held["image_download_url"] is None


@pytest.mark.parametrize("kind", [FaultKind.ANSWER, FaultKind.REPLACE, FaultKind.REFUSE, FaultKind.DROP])
@pytest.mark.parametrize("skip", [0, 1, 2])
def test_a_deleted_course_is_recovered_and_shown_however_often_that_breaks_off(
    canvas: CanvasSandbox, channel: Canvas, skip: int, kind: FaultKind
) -> None:
    course = add(canvas, "A", workflow_state="deleted")
    canvas.faults.add(Fault(kind=kind, operation=CHANGE, skip=skip))

    with pytest.raises(RetryableError):
        channel.update([outgoing("A", remote_id=course)])
    [result] = channel.update([outgoing("A", remote_id=course)])

    assert (result.outcome, result.remote_id) == (Outcome.DONE, course)
    assert canvas.offered() == {"A": "Course A"}


def test_a_course_that_cannot_be_recovered_is_refused(canvas: CanvasSandbox, channel: Canvas) -> None:
    canvas.can_undelete = False
    course = add(canvas, "A", workflow_state="deleted")

    with pytest.raises(RejectedError, match="workflow_state: The course cannot be recovered"):
        channel.update([outgoing("A", remote_id=course)])


def test_an_update_that_is_not_valid_is_refused_in_canvas_own_words(canvas: CanvasSandbox, channel: Canvas) -> None:
    course = add(canvas, "A")

    with pytest.raises(RejectedError, match="Canvas: name: is too long") as refusal:
        channel.update([outgoing("A", remote_id=course, name="x" * 256)])

    assert refusal.value.vendor_code == "name"
    assert states(canvas) == {"A": "unpublished"}


def test_an_update_of_a_missing_course_returns_gone_and_the_course_is_created(
    canvas: CanvasSandbox, channel: Canvas
) -> None:
    [result] = channel.update([outgoing("A", remote_id="7")])
    transmission = Transmitter(channel).transmit([_updated("A", "7")])

    assert (result.outcome, result.status_code) == (Outcome.GONE, 404)
    assert transmission.results["A"].outcome is Outcome.DONE
    assert canvas.offered() == {"A": "Course A"}


def test_an_update_after_which_learners_do_not_see_the_course_is_no_success(
    canvas: CanvasSandbox, channel: Canvas
) -> None:
    course = add(canvas, "A")
    body = f'{{"id": {course}, "workflow_state": "unpublished", "integration_id": "A"}}'
    canvas.faults.add(Fault(kind=FaultKind.REPLACE, operation=CHANGE, status=200, body=body))

    with pytest.raises(RetryableError, match="is unpublished"):
        channel.update([outgoing("A", remote_id=course)])


# --- delete ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "state"), [("conclude", "completed"), ("delete", "deleted")])
@pytest.mark.parametrize("before", ["claimed", "available", "completed"])
def test_a_delete_follows_the_policy(canvas: CanvasSandbox, policy: str, state: str, before: str) -> None:
    course = add(canvas, "A", workflow_state=before)

    [result] = connected(canvas, delete_policy=policy).delete([Outgoing("A", {}, course)])

    assert (result.outcome, result.remote_id) == (Outcome.DONE, course)
    assert states(canvas) == {"A": state}
    assert canvas.calls == {TOKEN: 1, END: 1}


@pytest.mark.parametrize("policy", ["conclude", "delete"])
def test_what_was_deleted_comes_back_with_an_update(canvas: CanvasSandbox, policy: str) -> None:
    channel = connected(canvas, delete_policy=policy)
    [created] = channel.create([outgoing("A")])
    channel.delete([Outgoing("A", {}, created.remote_id)])
    hidden = canvas.offered()

    [result] = channel.update([outgoing("A", remote_id=created.remote_id)])

    assert hidden == {}
    assert result.outcome is Outcome.DONE
    assert canvas.offered() == {"A": "Course A"}


@pytest.mark.parametrize("policy", ["conclude", "delete"])
def test_a_delete_of_what_is_gone_or_deleted_by_others_is_done(canvas: CanvasSandbox, policy: str) -> None:
    channel = connected(canvas, delete_policy=policy)
    deleted = add(canvas, "A", workflow_state="deleted")

    transmission = Transmitter(channel).transmit([_deleted("A", deleted)])
    other = Transmitter(channel).transmit([_deleted("B", "7")])

    assert transmission.results["A"].outcome is Outcome.DONE
    assert other.results["B"].outcome is Outcome.DONE


def test_conclude_of_a_deleted_course_is_gone_and_not_refused(canvas: CanvasSandbox, channel: Canvas) -> None:
    deleted = add(canvas, "A", workflow_state="deleted")

    [result] = channel.delete([Outgoing("A", {}, deleted)])

    assert result.outcome is Outcome.GONE
    assert states(canvas) == {"A": "deleted"}


@pytest.mark.parametrize("body", ["", "{}", '{"errors": []}', "<html>404 Not Found</html>", '{"message": "no route"}'])
@pytest.mark.parametrize("operation", [CHANGE, END, LOOK])
def test_a_404_that_is_not_canvas_own_makes_nothing_pass_for_gone(
    canvas: CanvasSandbox, channel: Canvas, operation: str, body: str
) -> None:
    course = add(canvas, "A", workflow_state="available")
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=operation, status=404, body=body))
    call: dict[str, Callable[[], object]] = {
        CHANGE: lambda: channel.update([outgoing("A", remote_id=course)]),
        END: lambda: channel.delete([Outgoing("A", {}, course)]),
        LOOK: lambda: channel.find(["A"]),
    }

    with pytest.raises(RetryableError):
        call[operation]()


@pytest.mark.parametrize("body", ["{}", '{"conclude": false}', '{"delete": true}', "[]", "<html>"])
def test_a_delete_that_canvas_does_not_confirm_is_no_success(canvas: CanvasSandbox, channel: Canvas, body: str) -> None:
    course = add(canvas, "A")
    canvas.faults.add(Fault(kind=FaultKind.ANSWER, operation=END, status=200, body=body))

    with pytest.raises(RetryableError):
        channel.delete([Outgoing("A", {}, course)])


@pytest.mark.parametrize("kind", [FaultKind.REPLACE, FaultKind.DROP])
def test_a_delete_whose_answer_is_lost_is_harmless_to_repeat(
    canvas: CanvasSandbox, channel: Canvas, kind: FaultKind
) -> None:
    course = add(canvas, "A")
    canvas.faults.add(Fault(kind=kind, operation=END))

    with pytest.raises(RetryableError):
        channel.delete([Outgoing("A", {}, course)])
    [result] = channel.delete([Outgoing("A", {}, course)])

    assert result.outcome is Outcome.DONE
    assert states(canvas) == {"A": "completed"}


def test_calls_in_parallel_leave_each_course_once(canvas: CanvasSandbox) -> None:
    channel = connected(canvas, parallel_calls=4)
    items = [outgoing(f"K{number:02}", may_be_there=False) for number in range(40)]

    transmission = Transmitter(channel).transmit(items)

    assert channel.parallel_calls == 4
    assert {result.outcome for result in transmission.results.values()} == {Outcome.DONE}
    assert sorted(canvas.offered()) == [item.content_key for item in items]
    assert canvas.calls == {TOKEN: 1, CREATE: 40, CHANGE: 40}


def _updated(key: str, remote_id: str) -> Outgoing:
    item = outgoing(key, remote_id=remote_id)
    return Outgoing(key, item.payload, remote_id, action=Action.UPDATE)


def _deleted(key: str, remote_id: str) -> Outgoing:
    return Outgoing(key, {}, remote_id, action=Action.DELETE)
