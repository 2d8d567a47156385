"""Finding, creating, updating and deleting courses on an in-memory Degreed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from enterprise_catalog.integrated_channels.channels.duplicates import Duplicates, oldest_first
from enterprise_catalog.integrated_channels.domain import ItemResult, Outcome, Outgoing, RateLimit
from enterprise_catalog.integrated_channels.exceptions import (
    CredentialsError,
    RejectedError,
    RetryableError,
    ThrottledError,
)
from enterprise_catalog.sandbox.degreed.api import CREATE, DELETE, LIST, READ, SKILLS, TOKEN, UPDATE, DegreedSandbox
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.integrated_channels.channels.degreed.connection import add, connected, outgoing

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.channels.degreed.channel import Degreed

BUT_FOR_SKILLS = "The course in Degreed is up to date, except for its skills: "


def json_answer(body: str, **fault: Any) -> Fault:
    return Fault(kind=FaultKind.ANSWER, **{"status": 200, "content_type": "application/json", "body": body, **fault})


# --- finding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["A", "a+b c", "North/wind:DATA&101#?=", "Ünï🎓", "trailing ", "%2B"])
def test_a_key_is_found_as_it_is(degreed: DegreedSandbox, channel: Degreed, key: str) -> None:
    add(degreed, "Other")
    there = add(degreed, key)

    assert channel.find([key]) == {key: there}


def test_courses_with_other_keys_found_by_a_loose_filter_are_ignored() -> None:
    degreed = DegreedSandbox(filter_is_loose=True)
    for external_id in ("a", "AB", "A "):
        add(degreed, external_id)

    assert connected(degreed).find(["A"]) == {}

    there = add(degreed, "A")
    assert connected(degreed).find(["A"]) == {"A": there}


def test_a_key_is_found_on_any_page() -> None:
    degreed = DegreedSandbox(filter_is_loose=True)
    for number in range(25):
        add(degreed, f"A{number}")
    there = add(degreed, "A")

    assert connected(degreed).find(["A"]) == {"A": there}
    assert degreed.calls[LIST] == 3


def test_an_obsolete_course_is_found_and_a_deleted_one_is_not(degreed: DegreedSandbox, channel: Degreed) -> None:
    hidden = add(degreed, "hidden", obsolete=True)
    channel_for_good = connected(degreed, delete_policy="delete")
    channel_for_good.delete([outgoing("gone", remote_id=add(degreed, "gone"))])

    assert channel.find(["hidden", "gone", "never"]) == {"hidden": hidden}


def test_a_list_that_leads_in_a_circle_ends() -> None:
    def circle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "token"})
        return httpx.Response(200, json={"data": [], "links": {"next": "https://elsewhere.test/x?next=1"}})

    with pytest.raises(RetryableError, match="links back"):
        connected(httpx.MockTransport(circle)).find(["A"])


def test_a_link_to_another_host_is_followed_at_our_own() -> None:
    hosts = []

    def degreed(request: httpx.Request) -> httpx.Response:
        hosts.append((request.url.host, request.url.params.get("next")))
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "token"})
        link = None if "next" in request.url.params else "https://elsewhere.test/api?next=p2"
        return httpx.Response(200, json={"data": [], "links": {"next": link}})

    assert connected(httpx.MockTransport(degreed)).find(["A"]) == {}
    assert hosts == [("degreed.test", None), ("api.degreed.test", None), ("api.degreed.test", "p2")]


# --- creating -------------------------------------------------------------------------------------------------------


def test_a_create_makes_the_course_and_then_its_skills(degreed: DegreedSandbox, channel: Degreed) -> None:
    results = channel.create([outgoing("A+1", skills=["Python", "R&D"])])

    [course] = degreed.content()
    assert results == [ItemResult("A+1", Outcome.DONE, remote_id=str(course["id"]))]
    assert (course["external-id"], course["title"], course["skills"]) == ("A+1", "Course A+1", ["Python", "R&D"])
    assert degreed.offered() == {"A+1": "Course A+1"}
    assert degreed.calls == {TOKEN: 1, CREATE: 1, SKILLS: 1}


def test_a_new_course_without_skills_takes_one_call(degreed: DegreedSandbox, channel: Degreed) -> None:
    channel.create([outgoing("A", skills=[])])

    assert degreed.calls == {TOKEN: 1, CREATE: 1}


def test_of_several_courses_with_one_external_id_the_oldest_counts_and_all_are_named(
    degreed: DegreedSandbox, channel: Degreed
) -> None:
    ids = [add(degreed, "A", url=f"https://learn.test/{number}") for number in range(3)]
    noted: list[Duplicates] = []
    channel.note_duplicates = noted.append

    assert channel.find(["A"]) == {"A": oldest_first(ids)[0]}
    assert [{duplicates.used, *duplicates.unused} for duplicates in noted] == [set(ids)]


def test_an_external_id_that_is_taken_makes_no_second_course(degreed: DegreedSandbox, channel: Degreed) -> None:
    add(degreed, "A", url="https://learn.test/elsewhere", obsolete=True)

    with pytest.raises(RejectedError) as raised:
        channel.create([outgoing("A", may_be_there=False)])

    assert (raised.value.status_code, raised.value.vendor_code) == (409, "conflict")
    assert len(degreed.content()) == 1
    assert LIST not in degreed.calls  # The engine looks the item up itself.


def test_an_external_id_that_was_taken_since_it_was_looked_for_is_tried_again(
    degreed: DegreedSandbox, channel: Degreed
) -> None:
    add(degreed, "A", url="https://learn.test/elsewhere")

    [result] = channel.create([outgoing("A", may_be_there=True)])

    assert (result.outcome, result.status_code) == (Outcome.RETRY, 409)
    assert result.message == "A course with the external-id 'A' was created after the look-up. The next sync adopts it."


def test_a_url_of_another_course_refuses_the_item_and_is_named(degreed: DegreedSandbox, channel: Degreed) -> None:
    add(degreed, "Other", url="https://learn.test/A")

    with pytest.raises(RejectedError) as raised:
        channel.create([outgoing("A")])

    assert raised.value.message == (
        "Another course in Degreed has the url https://learn.test/A. It has another external-id, or is not visible to"
        " the API key. Delete that course, or change its external-id to 'A'."
        " The LMS returned 409: Resource conflict. You cannot use the same"
        " ExternalID or URL to identify multiple resources: https://learn.test/A"
    )
    assert [course["external-id"] for course in degreed.content()] == ["Other"]


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "[]",
        "{}",
        '{"data": null}',
        '{"data": {"id": ""}}',
        '{"data": {"id": 7, "attributes": {"external-id": "A"}}}',
        '{"data": {"id": "x", "attributes": {"external-id": "B"}}}',
        '{"data": {"id": "x"}}',
        "<html>Back soon</html>",
        "",
    ],
)
def test_an_answer_to_a_create_that_is_not_the_course_is_no_success(
    degreed: DegreedSandbox, channel: Degreed, body: str
) -> None:
    degreed.faults.add(json_answer(body, operation=CREATE))

    with pytest.raises(RetryableError):
        channel.create([outgoing("A")])


@pytest.mark.parametrize(
    ("attributes", "detail"),
    [
        ({"title": ""}, "at least 1 character"),
        ({"url": "no address"}, "should match pattern"),
        ({"duration-type": "Weeks"}, "'Seconds', 'Minutes', 'Hours' or 'Days'"),
    ],
)
def test_what_degreed_has_against_a_course_refuses_it_with_its_words(
    channel: Degreed, attributes: dict[str, Any], detail: str
) -> None:
    with pytest.raises(RejectedError, match=detail) as raised:
        channel.create([outgoing("A", **attributes)])

    assert (raised.value.status_code, raised.value.vendor_code) == (400, "bad-request")


# --- skills ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["create", "update"])
@pytest.mark.parametrize(
    ("fault", "outcome", "status", "code", "reason"),
    [
        (
            json_answer('{"errors": [{"code": "bad-request", "detail": "No such skill."}]}', status=400),
            Outcome.REJECTED,
            400,
            "bad-request",
            "The LMS returned 400: No such skill.",
        ),
        (Fault(kind=FaultKind.ANSWER, status=503, body="Busy"), Outcome.RETRY, 503, "", "returned 503: Busy"),
        (Fault(kind=FaultKind.DROP), Outcome.RETRY, None, "", "The connection to the LMS failed"),
        (
            json_answer('{"errors": [{"code": "forbidden", "title": "Not you."}]}', status=403),
            Outcome.REJECTED,
            403,
            "forbidden",
            "the API key may not set skills. Grant it this permission, or set send_skills to false. Not you.",
        ),
    ],
)
def test_rejected_skills_leave_the_course_and_are_reported_with_its_id(  # noqa: PLR0917  (one column for each field)
    degreed: DegreedSandbox,
    channel: Degreed,
    call: str,
    fault: Fault,
    outcome: Outcome,
    status: int | None,
    code: str,
    reason: str,
) -> None:
    remote_id = add(degreed, "A") if call == "update" else ""
    degreed.faults.add(Fault(**{**vars_of(fault), "operation": SKILLS}))

    [result] = getattr(channel, call)([outgoing("A", remote_id=remote_id)])

    [course] = degreed.content()
    assert (result.outcome, result.status_code, result.vendor_code) == (outcome, status, code)
    assert result.message.startswith(BUT_FOR_SKILLS)
    assert reason in result.message
    assert result.remote_id == course["id"]
    assert course["title"] == "Course A"


def vars_of(fault: Fault) -> dict[str, Any]:
    return {name: getattr(fault, name) for name in ("kind", "status", "body", "content_type")}


def test_skills_that_failed_are_set_by_the_update_that_follows(degreed: DegreedSandbox, channel: Degreed) -> None:
    degreed.faults.add(Fault(kind=FaultKind.REFUSE, operation=SKILLS))
    [failed] = channel.create([outgoing("A", skills=["Python"])])

    results = channel.update([outgoing("A", remote_id=failed.remote_id, skills=["Python"])])

    assert [result.outcome for result in results] == [Outcome.DONE]
    assert [course["skills"] for course in degreed.content()] == [["Python"]]


def test_skills_are_passed_on_as_long_as_degreed_wants_to_wait(degreed: DegreedSandbox, channel: Degreed) -> None:
    degreed.faults.add(Fault(kind=FaultKind.ANSWER, status=503, retry_after="120", operation=SKILLS))

    [result] = channel.create([outgoing("A")])

    assert result.retry_after_seconds == 120


def test_an_update_takes_skills_away_that_the_catalog_no_longer_has(degreed: DegreedSandbox, channel: Degreed) -> None:
    [created] = channel.create([outgoing("A", skills=["Python", "R"])])

    channel.update([outgoing("A", remote_id=created.remote_id, skills=[])])

    assert [course["skills"] for course in degreed.content()] == [[]]


def test_without_skills_in_the_settings_manually_set_skills_stay(degreed: DegreedSandbox, channel: Degreed) -> None:
    [created] = channel.create([outgoing("A", skills=["Theirs"])])
    item = outgoing("A", remote_id=created.remote_id)
    del item.payload["skills"]

    connected(degreed, send_skills=False).update([item])

    assert [course["skills"] for course in degreed.content()] == [["Theirs"]]


def test_too_many_calls_for_the_skills_end_the_run(degreed: DegreedSandbox, channel: Degreed) -> None:
    degreed.calls_per_minute = 1

    with pytest.raises(ThrottledError):
        channel.create([outgoing("A")])


# --- updating -------------------------------------------------------------------------------------------------------


def test_an_update_stores_the_payload_and_shows_the_course_again(degreed: DegreedSandbox, channel: Degreed) -> None:
    there = add(degreed, "A", obsolete=True)

    results = channel.update([outgoing("A", remote_id=there, summary="New")])

    assert results == [ItemResult("A", Outcome.DONE, remote_id=there)]
    assert degreed.offered() == {"A": "Course A"}
    assert [course["summary"] for course in degreed.content()] == ["New"]


def test_an_update_that_is_repeated_changes_nothing(degreed: DegreedSandbox, channel: Degreed) -> None:
    items = [outgoing("A", remote_id=add(degreed, "A"))]
    first = channel.update(items)
    before = degreed.content()

    assert channel.update(items) == first
    assert degreed.content() == before


def test_an_update_into_the_url_of_another_course_is_refused(degreed: DegreedSandbox, channel: Degreed) -> None:
    add(degreed, "Other", url="https://learn.test/taken")
    there = add(degreed, "A")

    with pytest.raises(RejectedError, match=r"has the url https://learn\.test/taken\. .* Delete that course\."):
        channel.update([outgoing("A", remote_id=there, url="https://learn.test/taken")])

    assert SKILLS not in degreed.calls


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("policy", ["obsolete", "delete"])
def test_what_was_deleted_is_gone_for_updates_and_deletes(policy: str, status: int) -> None:
    degreed = DegreedSandbox(gone_status=status)
    gone, never = add(degreed, "A"), "never-there"
    channel = connected(degreed, delete_policy=policy)
    connected(degreed, delete_policy="delete").delete([outgoing("A", remote_id=gone)])

    results = [channel.update([outgoing("A", remote_id=gone)]), channel.delete([outgoing("A", remote_id=gone)])]

    assert [(result.outcome, result.status_code) for [result] in results] == [(Outcome.GONE, status)] * 2
    assert [result.outcome for result in channel.delete([outgoing("A", remote_id=never)])] == [Outcome.GONE]
    assert SKILLS not in degreed.calls


@pytest.mark.parametrize("body", ["{}", "null", "<p>Back soon</p>", "", '{"data": {"id": "another"}}'])
@pytest.mark.parametrize("call", ["update", "delete"])
def test_an_answer_to_a_change_that_is_not_the_course_is_no_success(
    degreed: DegreedSandbox, channel: Degreed, call: str, body: str
) -> None:
    there = add(degreed, "A")
    degreed.faults.add(json_answer(body, operation=UPDATE))

    with pytest.raises(RetryableError):
        getattr(channel, call)([outgoing("A", remote_id=there)])


# --- deleting ---------------------------------------------------------------------------------------------------------


def test_a_delete_makes_the_course_obsolete_and_leaves_all_else(degreed: DegreedSandbox, channel: Degreed) -> None:
    there = add(degreed, "A", summary="Theirs")

    results = channel.delete([Outgoing("A", {}, there)])

    assert results == [ItemResult("A", Outcome.DONE, remote_id=there)]
    assert degreed.offered() == {}
    assert [(course["summary"], course["obsolete"]) for course in degreed.content()] == [("Theirs", True)]
    assert DELETE not in degreed.calls


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_delete_for_good_leaves_nothing(status: int) -> None:
    degreed = DegreedSandbox(delete_status=status)
    there = add(degreed, "A")

    results = connected(degreed, delete_policy="delete").delete([outgoing("A", remote_id=there)])

    assert results == [ItemResult("A", Outcome.DONE, remote_id=there)]
    assert degreed.content() == []


def test_a_page_in_the_way_of_a_delete_for_good_is_no_success(degreed: DegreedSandbox) -> None:
    there = add(degreed, "A")
    degreed.faults.add(Fault(kind=FaultKind.ANSWER, status=200, body="<p>Log in first</p>", operation=DELETE))

    with pytest.raises(RetryableError, match="not JSON"):
        connected(degreed, delete_policy="delete").delete([outgoing("A", remote_id=there)])


# --- listing and checking the connection ------------------------------------------------------------------------------


def test_a_list_has_all_that_is_not_obsolete_page_by_page(degreed: DegreedSandbox, channel: Degreed) -> None:
    ids = {f"K{number}": add(degreed, f"K{number}") for number in range(205)}
    add(degreed, "hidden", obsolete=True)

    items = list(channel.list_items())

    assert {item.content_key: item.remote_id for item in items} == ids
    assert all(item.is_offered and item.title == "Theirs" for item in items)
    assert degreed.calls[LIST] == 3


def test_a_listed_course_has_fields_as_they_were_sent(channel: Degreed) -> None:
    item = outgoing("A")
    channel.create([item])

    [listed] = channel.list_items()

    stored = {name: listed.fields[name] for name in item.payload if name != "skills"}
    assert stored == {name: value for name, value in item.payload.items() if name != "skills"}


def test_a_working_connection_has_no_problems_and_is_not_changed(degreed: DegreedSandbox, channel: Degreed) -> None:
    add(degreed, "A")
    before = degreed.content()

    assert channel.check_connection() == []
    assert degreed.content() == before
    assert degreed.calls == {TOKEN: 1, LIST: 1, UPDATE: 1, SKILLS: 1}


def test_rights_that_are_missing_are_named() -> None:
    degreed = DegreedSandbox(scopes={READ}, may_set_skills=False)

    problems = connected(degreed, scope=READ).check_connection()

    assert problems == [
        "The API key may not write content. Grant it the scope content:write.",
        "The API key may not set skills. Grant it this permission, or set send_skills to false.",
    ]
    assert len(connected(degreed, scope=READ, send_skills=False).check_connection()) == 1


def test_wrong_credentials_are_reported_by_the_connection_check(degreed: DegreedSandbox, channel: Degreed) -> None:
    degreed.client_secret = "changed"

    with pytest.raises(CredentialsError):
        channel.check_connection()


def test_the_calls_of_a_minute_and_at_the_same_time_are_settings(degreed: DegreedSandbox) -> None:
    assert connected(degreed).rate_limit == RateLimit(70, seconds=60)

    channel = connected(degreed, calls_per_minute=200, parallel_calls=4)

    assert (channel.rate_limit, channel.parallel_calls, channel.items_per_call) == (RateLimit(200, seconds=60), 4, 1)
