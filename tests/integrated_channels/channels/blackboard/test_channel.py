"""Courses and their pages on an in-memory Blackboard: find, create, update, delete and list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from enterprise_catalog.integrated_channels.domain import Action, ItemResult, Outcome, Outgoing, RemoteItem
from enterprise_catalog.integrated_channels.exceptions import CredentialsError, RejectedError, RetryableError
from enterprise_catalog.integrated_channels.sync.transmitter import Transmitter
from enterprise_catalog.sandbox.blackboard.courses import Content, Handler
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.blackboard.connection import add, connected, outgoing, page_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enterprise_catalog.integrated_channels.channels.blackboard.channel import Blackboard
    from enterprise_catalog.sandbox.blackboard.api import BlackboardSandbox

CREATE: Final = ("POST courses", "POST contents", "POST contents", "PATCH courses/:id")
UPDATE: Final = ("GET contents", "GET contents", "PATCH contents/:id", "PATCH courses/:id")
TITLES: Final = ["About this course", "ultraDocumentBody"]


def updated(blackboard: BlackboardSandbox, channel: Blackboard, key: str = "A") -> ItemResult:
    """Update an existing course and return its result."""
    [course] = [course.id for course in blackboard.courses.values() if course.external_id == key]
    [result] = channel.update([outgoing(key, remote_id=course, title="New title")])
    return result


# --- find -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["A+1", "course-v1:A+B+C", "a b&c?d#e", "ä漢", "A/B", "100%", "a;b\\c"])
def test_it_finds_a_course_by_any_key_hidden_or_not(
    blackboard: BlackboardSandbox, channel: Blackboard, key: str
) -> None:
    course = add(blackboard, "other", externalId=key)

    assert channel.find([key]) == {key: course}


@pytest.mark.parametrize("key", ["A", "A/B"])
def test_what_is_not_there_is_not_found(blackboard: BlackboardSandbox, channel: Blackboard, key: str) -> None:
    add(blackboard, "other", externalId=f"{key}/C")

    assert channel.find([key]) == {}


@pytest.mark.parametrize("key", ["demo", "demo/x"])
def test_a_key_that_differs_by_case_is_another(blackboard: BlackboardSandbox, channel: Blackboard, key: str) -> None:
    blackboard.ids_ignore_case = True
    add(blackboard, "other", externalId=key.upper())

    assert channel.find([key]) == {}


def test_a_404_that_is_not_blackboards_own_does_not_mean_that_a_course_is_absent(
    blackboard: BlackboardSandbox, channel: Blackboard
) -> None:
    blackboard.faults.add(Fault(kind=FaultKind.ANSWER, operation="GET courses/:id", status=404))

    with pytest.raises(RetryableError, match="not JSON"):
        channel.find(["A"])


# --- create ---------------------------------------------------------------------------------------------------------


def test_a_create_makes_a_course_with_its_page_in_four_calls(
    blackboard: BlackboardSandbox, channel: Blackboard
) -> None:
    [result] = channel.create([outgoing("A")])

    [course] = blackboard.courses.values()
    assert result == ItemResult("A", Outcome.DONE, remote_id=course.id)
    assert (course.external_id, course.name, course.available) == ("A", "Course A", "Yes")
    assert [title for title, _ in page_of(blackboard, course.id)] == TITLES
    assert blackboard.calls == {"POST token": 1, "POST courses": 1, "POST contents": 2, "PATCH courses/:id": 1}
    assert blackboard.bare_courses == set()


def test_a_new_course_goes_into_the_data_source_of_the_settings(blackboard: BlackboardSandbox) -> None:
    connected(blackboard, data_source_id="externalId:CATALOG").create([outgoing("A")])

    [course] = blackboard.courses.values()
    assert course.data_source_id == "externalId:CATALOG"


def test_a_key_that_is_taken_is_refused_and_then_looked_up_and_updated(
    blackboard: BlackboardSandbox, channel: Blackboard
) -> None:
    course = add(blackboard, "other", externalId="A")
    with pytest.raises(RejectedError) as raised:
        channel.create([outgoing("A")])

    result = Transmitter(channel).transmit([outgoing("A")]).results["A"]

    assert raised.value.status_code == 409
    assert (result.outcome, result.remote_id) == (Outcome.DONE, course)
    assert blackboard.offered() == {"A": "Course A"}
    assert len(blackboard.courses) == 1


def test_a_course_id_that_another_course_has_is_refused_by_name(
    blackboard: BlackboardSandbox, channel: Blackboard
) -> None:
    add(blackboard, "northwind", externalId="theirs")

    result = Transmitter(channel).transmit([outgoing("northwind")]).results["northwind"]

    assert (result.outcome, result.status_code) == (Outcome.REJECTED, 409)
    assert result.message == (
        "Another Blackboard course has the course ID 'northwind' or the external ID 'northwind': "
        "A course with the provided courseId already exists"
    )
    assert blackboard.offered() == {}


def test_a_text_that_blackboard_rejects_leaves_an_invisible_course(
    blackboard: BlackboardSandbox, channel: Blackboard
) -> None:
    blackboard.room = 10

    result = Transmitter(channel).transmit([outgoing("A")]).results["A"]

    assert (result.outcome, result.status_code) == (Outcome.REJECTED, 507)
    assert result.message == "Blackboard returned 507: The course quota has been exceeded."
    assert blackboard.offered() == {}


def test_a_page_without_an_entitlement_stops_the_run(blackboard: BlackboardSandbox, channel: Blackboard) -> None:
    blackboard.entitlements = {"system.course.CREATE"}

    with pytest.raises(CredentialsError, match="insufficient privileges"):
        channel.create([outgoing("A")])


# --- interrupted calls ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FaultKind.ANSWER, FaultKind.REFUSE, FaultKind.DROP, FaultKind.TRUNCATE])
@pytest.mark.parametrize("call", range(4))
def test_a_create_aborted_at_any_call_is_completed_by_the_next_without_duplicates(
    blackboard: BlackboardSandbox, channel: Blackboard, call: int, kind: FaultKind
) -> None:
    # ``+ 1`` skips the token request.
    blackboard.faults.add(Fault(kind=kind, skip=call + 1))
    first = Transmitter(channel).transmit([replace(outgoing("A"), may_be_there=False)]).results["A"]

    second = Transmitter(channel).transmit([outgoing("A")]).results["A"]

    [course] = blackboard.courses.values()
    assert (first.outcome, first.may_have_been_created) == (Outcome.RETRY, True)
    assert second.outcome is Outcome.DONE
    assert blackboard.offered() == {"A": "Course A"}
    assert [title for title, _ in page_of(blackboard, course.id)] == TITLES
    assert blackboard.bare_courses == set()


@pytest.mark.parametrize("kind", [FaultKind.ANSWER, FaultKind.REFUSE, FaultKind.DROP, FaultKind.TRUNCATE])
@pytest.mark.parametrize("call", range(4))
def test_an_update_aborted_at_any_call_leaves_a_page_and_is_completed_by_the_next(
    blackboard: BlackboardSandbox, channel: Blackboard, call: int, kind: FaultKind
) -> None:
    channel.create([outgoing("A")])
    blackboard.faults.add(Fault(kind=kind, skip=call))
    with pytest.raises(RetryableError):
        updated(blackboard, channel)
    [course] = blackboard.courses.values()
    in_between = page_of(blackboard, course.id)

    result = updated(blackboard, channel)

    assert result.outcome is Outcome.DONE
    assert [title for title, _ in in_between] == [title for title, _ in page_of(blackboard, course.id)] == TITLES
    assert (course.name, course.available) == ("New title", "Yes")
    assert page_of(blackboard, course.id)[1][1].startswith("<h4>New title</h4>")
    assert blackboard.bare_courses == set()


@pytest.mark.parametrize("operation", [*CREATE[:1], *CREATE[1:2], *CREATE[3:]])
@pytest.mark.parametrize("body", ["null", "[]", "{}", '{"id": ""}', '{"id": 7}', "<html>", ""])
def test_an_answer_that_is_not_what_it_should_be_is_no_success(
    blackboard: BlackboardSandbox, channel: Blackboard, operation: str, body: str
) -> None:
    fault = Fault(kind=FaultKind.REPLACE, operation=operation, status=200, body=body, content_type="application/json")
    blackboard.faults.add(fault)

    with pytest.raises(RetryableError):
        channel.create([outgoing("A")])


# --- update ---------------------------------------------------------------------------------------------------------


def test_an_update_changes_page_and_course_in_place_in_four_calls(
    blackboard: BlackboardSandbox, channel: Blackboard
) -> None:
    channel.create([outgoing("A")])
    [course] = blackboard.courses.values()
    before = list(course.contents)
    blackboard.calls.clear()

    result = updated(blackboard, channel)

    assert result == ItemResult("A", Outcome.DONE, remote_id=course.id)
    assert list(course.contents) == before
    assert course.name == "New title"
    assert blackboard.calls == {"GET contents": 2, "PATCH contents/:id": 1, "PATCH courses/:id": 1}


def test_an_update_that_is_repeated_changes_nothing(blackboard: BlackboardSandbox, channel: Blackboard) -> None:
    channel.create([outgoing("A")])
    first = updated(blackboard, channel)
    before = blackboard.content()

    assert updated(blackboard, channel) == first
    assert blackboard.content() == before


def test_an_update_shows_a_hidden_course_and_a_hidden_page_again(
    blackboard: BlackboardSandbox, channel: Blackboard
) -> None:
    channel.create([outgoing("A")])
    [course] = blackboard.courses.values()
    course.available = "Disabled"
    for part in course.contents.values():
        part.available = "No"

    updated(blackboard, channel)

    assert course.is_offered
    assert course.has_page
    assert blackboard.bare_courses == set()


def test_an_update_of_a_manually_created_course_adds_a_page_to_its_content(
    blackboard: BlackboardSandbox, channel: Blackboard
) -> None:
    course = add(blackboard, "other", externalId="A")
    theirs = {"title": "Theirs", "contentHandler": {"id": "resource/x-bb-folder"}}
    blackboard.create_part(blackboard.courses[course], "", theirs)

    updated(blackboard, channel)

    assert [title for title, _ in page_of(blackboard, course)] == ["Theirs", *TITLES]
    assert blackboard.bare_courses == set()


def test_other_content_with_the_pages_title_is_not_used_as_the_page(
    blackboard: BlackboardSandbox, channel: Blackboard
) -> None:
    course = blackboard.courses[add(blackboard, "other", externalId="A")]
    link = Handler(id="resource/x-bb-externallink", url="https://www.example.org/")
    course.contents["_90_1"] = Content(id="_90_1", parent="", title="About this course", handler=link)

    result = updated(blackboard, channel)

    assert result.outcome is Outcome.DONE
    assert course.has_page


def test_the_page_is_found_behind_hundreds_of_other_things(blackboard: BlackboardSandbox, channel: Blackboard) -> None:
    course = add(blackboard, "other", externalId="A")
    for number in range(250):
        folder = {"title": f"Theirs {number}", "contentHandler": {"id": "resource/x-bb-folder"}}
        blackboard.create_part(blackboard.courses[course], "", folder)
    updated(blackboard, channel)

    updated(blackboard, channel)

    assert len(blackboard.courses[course].contents) == 250 + 2


def test_a_classic_course_keeps_its_own_folders_and_gets_the_page(blackboard: BlackboardSandbox) -> None:
    channel = connected(blackboard, course_view="Classic")
    [created] = channel.create([outgoing("A", view="Classic")])

    [result] = channel.update([outgoing("A", remote_id=created.remote_id, view="Classic")])

    assert result.outcome is Outcome.DONE
    titles = [title for title, _ in page_of(blackboard, created.remote_id)]
    assert titles == ["Information", "Content", "About this course", "About this course"]


def test_an_update_of_a_missing_course_returns_gone(channel: Blackboard) -> None:
    [result] = channel.update([outgoing("A", remote_id="_999_1")])

    assert result.outcome is Outcome.GONE


def test_a_course_that_goes_away_during_an_update_is_gone_or_tried_again(
    blackboard: BlackboardSandbox, channel: Blackboard
) -> None:
    channel.create([outgoing("A")])
    body = '{"status": 404, "message": "Could not find object with ID: _1_1"}'
    blackboard.faults.set(
        [
            Fault(kind=FaultKind.ANSWER, operation="PATCH courses/:id", status=404, body=body),
            Fault(kind=FaultKind.ANSWER, operation="PATCH contents/:id", skip=1, status=404, body=body),
        ]
    )

    assert updated(blackboard, channel).outcome is Outcome.GONE
    with pytest.raises(RetryableError, match="did not find the object of the call"):
        updated(blackboard, channel)


def test_a_text_that_is_refused_leaves_the_page_and_the_course_as_they_were(
    blackboard: BlackboardSandbox, channel: Blackboard
) -> None:
    channel.create([outgoing("A")])
    before = blackboard.content()
    blackboard.room = 10

    with pytest.raises(RejectedError):
        updated(blackboard, channel)

    assert blackboard.content() == before


# --- delete ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["No", "Disabled"])
def test_a_delete_hides_and_changes_nothing_else(blackboard: BlackboardSandbox, policy: str) -> None:
    channel = connected(blackboard, delete_policy=policy)
    [created] = channel.create([outgoing("A")])
    [before] = blackboard.content()
    items = [outgoing("A", remote_id=created.remote_id)]

    results = [channel.delete(items), channel.delete(items)]

    assert [result.outcome for [result] in results] == [Outcome.DONE, Outcome.DONE]
    hidden = {"available": policy, "duration": {"type": "Continuous"}}
    assert blackboard.content() == [{**before, "availability": hidden}]
    assert blackboard.calls["DELETE courses/:id"] == 0


def test_a_course_is_made_unavailable_by_default(blackboard: BlackboardSandbox, channel: Blackboard) -> None:
    [created] = channel.create([outgoing("A")])

    channel.delete([outgoing("A", remote_id=created.remote_id)])

    assert blackboard.courses[created.remote_id].available == "No"


@pytest.mark.parametrize("policy", ["No", "Disabled", "Delete"])
def test_a_delete_of_a_missing_course_returns_gone(blackboard: BlackboardSandbox, policy: str) -> None:
    [result] = connected(blackboard, delete_policy=policy).delete([outgoing("A", remote_id="_999_1")])

    assert result.outcome is Outcome.GONE


@pytest.mark.parametrize("checks", [0, 4])
def test_a_real_delete_is_done_when_its_task_is(blackboard: BlackboardSandbox, checks: int) -> None:
    blackboard.deletion_checks = checks
    channel = connected(blackboard, delete_policy="Delete")
    [created] = channel.create([outgoing("A")])

    [result] = channel.delete([outgoing("A", remote_id=created.remote_id)])

    assert result.outcome is Outcome.DONE
    assert blackboard.courses == {}
    assert blackboard.calls["GET tasks"] == checks + 1


def test_a_real_delete_that_takes_longer_is_tried_again_until_the_course_is_gone(
    blackboard: BlackboardSandbox,
) -> None:
    blackboard.deletion_checks = 7
    channel = connected(blackboard, delete_policy="Delete", deletion_checks=3)
    [created] = channel.create([outgoing("A")])
    item = outgoing("A", remote_id=created.remote_id)
    outcomes = []

    for _ in range(4):
        [result] = channel.delete([item])
        outcomes.append(result.outcome)

    assert outcomes == [Outcome.RETRY, Outcome.RETRY, Outcome.RETRY, Outcome.GONE]
    assert blackboard.courses == {}


@pytest.mark.parametrize("location", ["", "https://elsewhere.example.org/tasks/", "/learn/api/public/v1/courses/_1_1"])
def test_a_delete_without_a_task_to_poll_is_not_recorded_as_done(location: str) -> None:
    [result] = deleted_at(location, asked=[])

    assert (result.outcome, result.status_code) == (Outcome.RETRY, 202)


def test_only_the_tasks_id_is_read_from_the_location() -> None:
    asked: list[str] = []

    [result] = deleted_at("https://elsewhere.example.org/tasks/_7_1", asked=asked)

    assert result.outcome is Outcome.DONE
    assert asked == ["http://blackboard.test/learn/api/public/v1/courses/_2_1/tasks/_7_1"]


def deleted_at(location: str, *, asked: list[str]) -> Sequence[ItemResult]:
    """Delete a course whose task URL is ``location``. Every URL that the channel polls is appended to ``asked``."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json={"access_token": "the-access-token"})
        if request.method == "DELETE":
            return httpx.Response(202, headers={"Location": location})
        asked.append(str(request.url))
        return httpx.Response(303)

    channel = connected(httpx.MockTransport(answer), refresh_token="a-refresh-token", delete_policy="Delete")
    return channel.delete([outgoing("A", remote_id="_2_1")])


def test_a_delete_of_what_is_deleted_already_is_done(blackboard: BlackboardSandbox) -> None:
    item = Outgoing("A", {}, "_999_1", action=Action.DELETE)

    result = Transmitter(connected(blackboard, delete_policy="Delete")).transmit([item]).results["A"]

    assert result.outcome is Outcome.DONE


# --- list -----------------------------------------------------------------------------------------------------------


def test_it_lists_everything_page_by_page(blackboard: BlackboardSandbox, channel: Blackboard) -> None:
    for number in range(205):
        add(blackboard, f"K{number}", name=f"Course {number}")
    blackboard.courses["_1_1"].available = "Term"

    items = list(channel.list_items())

    first = RemoteItem("K0", "_1_1", is_offered=True, title="Course 0", fields={"externalId": "K0", "name": "Course 0"})
    assert items[0] == first
    assert [item.content_key for item in items] == [f"K{number}" for number in range(205)]
    assert [item.content_key for item in items if item.is_offered] == ["K0"]
    assert blackboard.calls["GET courses"] == 3


def test_what_it_lists_of_our_courses_is_what_was_sent(channel: Blackboard) -> None:
    item = outgoing("A")
    channel.create([item])

    [listed] = channel.list_items()

    assert {name: item.payload[name] for name in listed.fields} == listed.fields


@pytest.mark.parametrize(
    "following", ["/learn/api/public/v3/courses?offset=0", "https://elsewhere.example.org/courses?offset=0"]
)
def test_a_list_without_an_end_is_noticed_and_no_other_address_is_gone_to(
    blackboard: BlackboardSandbox, channel: Blackboard, following: str
) -> None:
    body = f'{{"results": [], "paging": {{"nextPage": "{following}"}}}}'
    blackboard.faults.add(Fault(kind=FaultKind.ANSWER, operation="GET courses", status=200, body=body, times=None))

    with pytest.raises(RetryableError, match="a page that was already read"):
        list(channel.list_items())

    assert blackboard.calls["GET courses"] == 2
