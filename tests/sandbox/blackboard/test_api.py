"""The sandbox Blackboard follows the published API: tokens, ids, contents, deletions and quota."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from enterprise_catalog.sandbox.blackboard.api import (
    CLIENT_ID,
    CLIENT_SECRET,
    CONSENT,
    DAY_SECONDS,
    ROOT,
    TOKEN_SECONDS,
    TOKENS,
    BlackboardSandbox,
)
from enterprise_catalog.sandbox.blackboard.courses import bbml_problem
from enterprise_catalog.sandbox.registry import SANDBOXES

if TYPE_CHECKING:
    from collections.abc import Iterator

COURSES: Final = f"{ROOT}/v3/courses"
PARTS: Final = f"{ROOT}/v1/courses"
FOLDER: Final = {"id": "resource/x-bb-folder"}
PAGE: Final = {"id": "resource/x-bb-folder", "isBbPage": True}
DOCUMENT: Final = {"id": "resource/x-bb-document"}


@pytest.fixture
def blackboard() -> BlackboardSandbox:
    return BlackboardSandbox()


@pytest.fixture
def http(blackboard: BlackboardSandbox) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(transport=httpx.WSGITransport(app=blackboard), base_url="http://blackboard.test") as client:
        yield client


@pytest.fixture
def api(blackboard: BlackboardSandbox, http: httpx.Client) -> httpx.Client:
    """A client with a token."""
    token = refreshed(http, blackboard.channel_credentials()["refresh_token"]).json()["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    return http


def ask(http: httpx.Client, secret: str = CLIENT_SECRET, **form: str) -> httpx.Response:
    return http.post(TOKENS, data=form, auth=(CLIENT_ID, secret))


def refreshed(http: httpx.Client, refresh_token: str) -> httpx.Response:
    return ask(http, grant_type="refresh_token", refresh_token=refresh_token)


def new_course(api: httpx.Client, **fields: Any) -> Any:
    answer = api.post(COURSES, json={"courseId": "data101", "name": "Data for All", "ultraStatus": "Ultra", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def new_part(api: httpx.Client, path: str, **fields: Any) -> httpx.Response:
    return api.post(path, json={"title": "Page", "contentHandler": PAGE, **fields})


# --- OAuth 2 --------------------------------------------------------------------------------------------------------


def test_the_registry_makes_a_site_that_its_own_credentials_open() -> None:
    assert isinstance(SANDBOXES["BLACKBOARD"](), BlackboardSandbox)


def test_a_refresh_token_is_valid_once_and_the_access_token_until_it_expires(
    blackboard: BlackboardSandbox, http: httpx.Client
) -> None:
    now = 1_000_000.0
    blackboard.clock = lambda: now
    first = refreshed(http, blackboard.channel_credentials()["refresh_token"]).json()
    now += 600
    second = refreshed(http, first["refresh_token"]).json()
    now += TOKEN_SECONDS
    third = refreshed(http, second["refresh_token"]).json()

    assert first["expires_in"] == third["expires_in"] == TOKEN_SECONDS
    assert second["expires_in"] == TOKEN_SECONDS - 600
    assert first["access_token"] == second["access_token"] != third["access_token"]
    for dead in (first, second):
        answer = refreshed(http, dead["refresh_token"])
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_published_credentials_are_the_same_until_they_are_used(
    blackboard: BlackboardSandbox, http: httpx.Client
) -> None:
    once = blackboard.channel_credentials()
    again = blackboard.channel_credentials()
    refreshed(http, once["refresh_token"])

    assert once == again != blackboard.channel_credentials()


def test_a_consent_gives_a_code_that_is_taken_once(http: httpx.Client) -> None:
    query = {"redirect_uri": "https://x.org/back", "response_type": "code", "client_id": CLIENT_ID, "state": "s"}
    answer = http.get(CONSENT, params={**query, "scope": "read offline"})
    place = httpx.URL(answer.headers["Location"])
    form = {"grant_type": "authorization_code", "code": place.params["code"], "redirect_uri": "https://x.org/back"}

    token = ask(http, **form).json()

    assert (answer.status_code, place.host, place.params["state"]) == (302, "x.org", "s")
    assert (token["scope"], bool(token["refresh_token"])) == ("offline read", True)
    assert ask(http, **form).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "x"}, "invalid_client"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
def test_a_wrong_request_for_consent_is_refused(http: httpx.Client, changes: dict[str, str], error: str) -> None:
    query = {"redirect_uri": "https://x.org", "response_type": "code", "client_id": CLIENT_ID, "scope": "read"}

    answer = http.get(CONSENT, params={**query, **changes})

    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_tokens_are_given_to_the_installed_application_only(blackboard: BlackboardSandbox, http: httpx.Client) -> None:
    assert ask(http, "wrong", grant_type="refresh_token").json()["error"] == "invalid_client"
    assert ask(http, grant_type="password").json()["error"] == "unsupported_grant_type"
    blackboard.is_installed = False
    assert ask(http, grant_type="refresh_token").status_code == 404


def test_a_call_needs_a_token_that_is_valid_a_scope_and_an_entitlement(
    blackboard: BlackboardSandbox, api: httpx.Client
) -> None:
    [grant] = blackboard.grants.values()
    statuses = [api.get(COURSES).status_code]
    blackboard.entitlements = {"system.course.CREATE"}
    statuses.append(api.get(COURSES).status_code)
    grant.scopes = frozenset({"read"})
    statuses.append(api.post(COURSES, json={}).status_code)
    blackboard.is_enabled = False
    statuses.append(api.get(COURSES).status_code)
    blackboard.expire_tokens()
    statuses.append(api.get(COURSES).status_code)
    blackboard.is_installed = False
    statuses.append(api.get(COURSES).status_code)

    assert statuses == [200, 403, 403, 403, 401, 404]


# --- courses --------------------------------------------------------------------------------------------------------


def test_a_new_course_is_returned_and_is_found_by_each_of_its_ids(api: httpx.Client) -> None:
    course = new_course(api, externalId="course-v1:A+B", description="x", availability={"available": "No"})

    assert course["id"] == "_1_1"
    for asked in ("_1_1", "courseId:data101", "externalId:course-v1%3AA%2BB"):
        assert api.get(f"{COURSES}/{asked}").json() == course
    assert (course["externalId"], course["availability"]["available"]) == ("course-v1:A+B", "No")


def test_an_external_id_is_the_course_id_if_none_is_given(api: httpx.Client) -> None:
    assert new_course(api)["externalId"] == "data101"


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("courseId", {"courseId": "DATA101", "externalId": "other"}),
        ("externalId", {"courseId": "other", "externalId": "Data101"}),
    ],
)
def test_either_id_that_is_taken_is_a_conflict_hidden_courses_included(
    blackboard: BlackboardSandbox, api: httpx.Client, name: str, ids: dict[str, str]
) -> None:
    blackboard.ids_ignore_case = True
    new_course(api, availability={"available": "Disabled"})

    answer = api.post(COURSES, json={"name": "x", **ids})

    assert answer.status_code == 409
    assert answer.json() == {"status": 409, "message": f"A course with the provided {name} already exists"}


def test_ids_that_differ_by_case_are_different_by_default(api: httpx.Client) -> None:
    new_course(api)

    assert new_course(api, courseId="DATA101")["id"] == "_2_1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"courseId": "a+b"},
        {"courseId": "x" * 101},
        {"name": "x" * 334},
        {"name": ""},
        {"externalId": "x" * 257},
        {"availability": "Yes"},
        {"availability": {"available": "Perhaps"}},
        {"colour": "red"},
        {"courseId": None},
    ],
)
def test_a_wrong_course_is_refused(blackboard: BlackboardSandbox, api: httpx.Client, wrong: dict[str, Any]) -> None:
    answer = api.post(COURSES, json={"courseId": "data101", "name": "Data", **wrong})

    assert answer.status_code == 400
    assert answer.json()["message"].startswith(next(iter(wrong)))
    assert blackboard.courses == {}


def test_an_update_changes_the_sent_fields_and_never_the_course_id(api: httpx.Client) -> None:
    course = new_course(api)

    changed = api.patch(f"{COURSES}/_1_1", json={"name": "New"}).json()

    assert changed == {**course, "name": "New"}
    assert api.patch(f"{COURSES}/_1_1", json={"courseId": "new"}).status_code == 400
    assert api.patch(f"{COURSES}/_9_1", json={}).json() == {
        "status": 404,
        "message": "Could not find object with ID: _9_1",
    }


def test_a_search_finds_what_contains_the_text_page_by_page(api: httpx.Client) -> None:
    for number in range(5):
        new_course(api, courseId=f"data{number}", externalId=f"a/DATA{number}")
    new_course(api, courseId="other")

    first = api.get(COURSES, params={"externalId": "/data", "limit": "3"}).json()
    second = api.get(first["paging"]["nextPage"]).json()

    assert [course["courseId"] for course in first["results"]] == ["data0", "data1", "data2"]
    assert [course["courseId"] for course in second["results"]] == ["data3", "data4", "other"]
    assert "paging" not in second


def test_a_slash_in_a_path_does_not_get_through_unless_the_site_lets_it(
    blackboard: BlackboardSandbox, api: httpx.Client
) -> None:
    new_course(api, externalId="a/b")

    statuses = [api.get(f"{COURSES}/externalId:a%2Fb").status_code]
    blackboard.slashes_in_paths = True
    statuses.append(api.get(f"{COURSES}/externalId:a%2Fb").status_code)

    assert statuses == [400, 200]


# --- contents -------------------------------------------------------------------------------------------------------


def test_a_page_is_a_folder_with_a_document(blackboard: BlackboardSandbox, api: httpx.Client) -> None:
    new_course(api)
    folder = new_part(api, f"{PARTS}/_1_1/contents").json()["id"]
    document = new_part(
        api, f"{PARTS}/_1_1/contents/{folder}/children", contentHandler=DOCUMENT, body="<p>x</p>"
    ).json()

    changed = api.patch(f"{PARTS}/_1_1/contents/{document['id']}", json={"body": "<p>y</p>"}).json()

    assert changed == {**document, "body": "<p>y</p>"}
    assert api.get(f"{PARTS}/_1_1/contents/{folder}/children").json() == {"results": [changed]}
    assert [part["id"] for part in api.get(f"{PARTS}/_1_1/contents").json()["results"]] == [folder]
    assert blackboard.courses["_1_1"].has_page
    assert api.delete(f"{PARTS}/_1_1/contents/{folder}").status_code == 204
    assert api.get(f"{PARTS}/_1_1/contents").json() == {"results": []}


def test_a_course_that_is_shown_without_a_page_is_noticed_for_good(
    blackboard: BlackboardSandbox, api: httpx.Client
) -> None:
    new_course(api, availability={"available": "No"})
    before = set(blackboard.bare_courses)
    api.patch(f"{COURSES}/_1_1", json={"availability": {"available": "Yes"}})
    api.patch(f"{COURSES}/_1_1", json={"availability": {"available": "No"}})

    assert (before, blackboard.bare_courses) == (set(), {"data101"})


@pytest.mark.parametrize("view", ["Ultra", "Classic"])
def test_only_folders_are_on_top_and_ultra_wants_a_page_around_a_document(api: httpx.Client, view: str) -> None:
    new_course(api, ultraStatus=view)
    contents = f"{PARTS}/_1_1/contents"
    plain_folder = new_part(api, contents, contentHandler=FOLDER).json()["id"]

    on_top = new_part(api, contents, contentHandler=DOCUMENT)
    within = new_part(api, f"{contents}/{plain_folder}/children", contentHandler=DOCUMENT)

    assert on_top.status_code == 400
    assert within.status_code == (400 if view == "Ultra" else 201)


@pytest.mark.parametrize(
    "wrong",
    [{"body": "<h1>x</h1>"}, {"availability": "Yes"}, {"title": ""}, {"description": "x" * 751}, {"position": -1}],
)
def test_what_ultra_does_not_take_is_refused(api: httpx.Client, wrong: dict[str, Any]) -> None:
    new_course(api)

    assert new_part(api, f"{PARTS}/_1_1/contents", **wrong).status_code == 400


def test_markup_is_looked_at_in_ultra_only_and_only_if_the_site_is_strict(
    blackboard: BlackboardSandbox, api: httpx.Client
) -> None:
    new_course(api)
    new_course(api, courseId="classic", ultraStatus="Classic")
    classic = list(blackboard.courses)[1]
    blackboard.strict_markup = False

    statuses = [new_part(api, f"{PARTS}/_1_1/contents", body="<h1>x</h1>").status_code]
    blackboard.strict_markup = True
    statuses.append(new_part(api, f"{PARTS}/{classic}/contents", body="<h1>x</h1>").status_code)

    assert statuses == [201, 201]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("<p>a <strong>b</strong><br></p>", ""),
        ("<h1>x</h1>", "<h1>"),
        ("<p style='x'>a</p>", "<p> with ['style']"),
        ("<p>a", "<p> is not closed"),
        ("a</p>", "</p> closes nothing"),
        ("<p><em>a</p></em>", "</p> closes nothing"),
    ],
)
def test_what_is_no_bbml(text: str, fault: str) -> None:
    assert bbml_problem(text) == fault


def test_a_full_course_takes_no_more(blackboard: BlackboardSandbox, api: httpx.Client) -> None:
    blackboard.room = 10
    new_course(api)

    statuses = [new_part(api, f"{PARTS}/_1_1/contents", body=body).status_code for body in ("1234567890", "1")]

    assert statuses == [201, 507]


# --- deletions and quota --------------------------------------------------------------------------------------------


def test_a_deletion_takes_its_time_and_the_course_is_there_until_then(
    blackboard: BlackboardSandbox, api: httpx.Client
) -> None:
    new_course(api)
    answer = api.delete(f"{COURSES}/_1_1")
    task = answer.headers["Location"]

    seen = [(api.get(task).status_code, len(blackboard.courses)) for _ in range(3)]

    assert (answer.status_code, task) == (202, f"{ROOT}/v1/courses/_1_1/tasks/_2_1")
    assert seen == [(200, 1), (200, 1), (303, 0)]
    assert api.get(task).status_code == api.delete(f"{COURSES}/_1_1").status_code == 404


def test_a_task_that_is_not_known_is_404(api: httpx.Client) -> None:
    new_course(api)

    assert api.get(f"{PARTS}/_1_1/tasks/_9_1").status_code == 404


def test_the_quota_is_returned_and_refilled_after_a_day(blackboard: BlackboardSandbox, api: httpx.Client) -> None:
    now = 1_000_000.0
    blackboard.clock = lambda: now
    [grant] = blackboard.grants.values()
    grant.expires_at = now + 2 * DAY_SECONDS
    blackboard.calls_per_day = 2
    answers = [api.get(COURSES)]
    now += 100
    answers += [api.get(COURSES), api.get(COURSES)]
    now += DAY_SECONDS - 100
    answers.append(api.get(COURSES))

    assert [answer.status_code for answer in answers] == [200, 200, 429, 200]
    assert [answer.headers["X-Rate-Limit-Remaining"] for answer in answers] == ["1", "0", "0", "1"]
    assert answers[2].headers["Retry-After"] == str(DAY_SECONDS - 100 + 1)


def test_another_path_is_the_web_servers_404(http: httpx.Client) -> None:
    answer = http.get("/webapps/login/")

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_reset_clears_courses_and_keeps_consents(blackboard: BlackboardSandbox, api: httpx.Client) -> None:
    new_course(api)

    blackboard.reset()

    assert api.get(COURSES).json() == {"results": []}
    assert (blackboard.content(), blackboard.bare_courses) == ([], set())


@pytest.mark.parametrize("key", ["ä", "漢字", "a+b c"])
def test_a_key_in_any_script_arrives_in_a_path(api: httpx.Client, key: str) -> None:
    course = new_course(api, externalId=key)

    assert api.get(f"{COURSES}/externalId:{key}".replace("+", "%2B")).json() == course
