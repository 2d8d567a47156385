"""The sandbox Degreed follows the documentation: tokens, rate limit, formats, courses, lists and skills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from enterprise_catalog.sandbox.degreed.api import (
    CLIENT_ID,
    CLIENT_SECRET,
    COURSES_PAGE,
    TOKEN_LIFETIME_SECONDS,
    TOKEN_PAGE,
    DegreedSandbox,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = 1_800_000_000.0
COURSE = {"external-id": "A+1", "title": "A course", "url": "https://learn.test/a"}


class Client:
    """Calls a sandbox in-process with its own token; returns raw responses."""

    def __init__(self, degreed: DegreedSandbox, *, scope: str = "content:read,content:write") -> None:
        self.http = httpx.Client(transport=httpx.WSGITransport(app=degreed), base_url="https://api.degreed.test")
        self.http.headers["Accept"] = "application/json"
        self.token = self.log_in(scope=scope).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def log_in(self, **fields: str) -> httpx.Response:
        right = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return self.http.post(TOKEN_PAGE, data={**right, "scope": "content:read", **fields})

    def create(self, **attributes: Any) -> httpx.Response:
        return self.http.post(COURSES_PAGE, json=document({**COURSE, **attributes}))

    def created(self, external_id: str, **attributes: Any) -> str:
        """Create a course with a unique URL and return its id."""
        named = {"external-id": external_id, "url": f"https://learn.test/{external_id}", **attributes}
        return str(self.create(**named).json()["data"]["id"])

    def update(self, course_id: str, **attributes: Any) -> httpx.Response:
        return self.http.patch(f"{COURSES_PAGE}/{course_id}", json=document(attributes, course_id=course_id))

    def delete(self, course_id: str) -> httpx.Response:
        return self.http.delete(f"{COURSES_PAGE}/{course_id}")

    def set_skills(self, course_id: str, body: object) -> httpx.Response:
        return self.http.patch(f"/api/v2/content/{course_id}/relationships/skills", json=body)

    def listed(self, query: str = "") -> Any:
        return self.http.get(f"{COURSES_PAGE}{query}").json()


def document(attributes: Mapping[str, Any], *, course_id: str = "") -> dict[str, Any]:
    identity = {"id": course_id} if course_id else {}
    return {"data": {"type": "content/courses", **identity, "attributes": attributes}}


def error_of(answer: httpx.Response) -> dict[str, Any]:
    [error] = answer.json()["errors"]
    assert answer.status_code == error["status"]
    assert error.keys() >= {"id", "code", "status", "title", "detail"}
    return dict(error)


@pytest.fixture
def degreed() -> DegreedSandbox:
    return DegreedSandbox(clock=lambda: NOW)


@pytest.fixture
def client(degreed: DegreedSandbox) -> Client:
    return Client(degreed)


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_a_token_is_given_for_a_key_and_its_scopes(client: Client) -> None:
    answer = client.log_in().json()

    assert answer.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", TOKEN_LIFETIME_SECONDS)


@pytest.mark.parametrize(
    "fields", [{"client_id": "x"}, {"client_secret": "x"}, {"scope": "content:read,users:read"}, {"scope": "a b"}]
)
def test_a_wrong_key_or_scope_gets_403(client: Client, fields: dict[str, str]) -> None:
    assert error_of(client.log_in(**fields))["code"] == "forbidden"


def test_another_grant_gets_400(client: Client) -> None:
    assert error_of(client.log_in(grant_type="password"))["code"] == "bad-request"


def test_an_unknown_or_expired_token_gets_401(degreed: DegreedSandbox, client: Client) -> None:
    degreed.clock = lambda: NOW + TOKEN_LIFETIME_SECONDS

    assert error_of(client.http.get(COURSES_PAGE))["status"] == 401

    client.http.headers["Authorization"] = "Bearer made-up"
    assert error_of(client.http.get(COURSES_PAGE))["status"] == 401


def test_a_token_without_the_scope_to_write_gets_403(degreed: DegreedSandbox) -> None:
    reader = Client(degreed, scope="content:read")

    assert reader.listed()["data"] == []
    assert error_of(reader.create())["detail"] == "The access token lacks the scope content:write."


# --- formats and rate limit -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{"Accept": "*/*"}, {"Accept": "text/html"}, {"Content-Type": "text/plain"}])
def test_a_client_that_does_not_accept_json_receives_406(client: Client, headers: dict[str, str]) -> None:
    answer = client.http.post(COURSES_PAGE, content="{}", headers={"Content-Type": "application/json", **headers})

    assert error_of(answer)["detail"] == "We only accept JSON."


def test_every_response_has_the_headers_of_the_window(client: Client) -> None:
    answers = [client.http.get(COURSES_PAGE), client.http.get("/api/v2/nowhere")]

    for answer, left in zip(answers, ["69", "68"], strict=True):
        assert answer.headers["X-Rate-Limit-Limit"] == "1m"
        assert answer.headers["X-Rate-Limit-Remaining"] == left
        assert answer.headers["X-Rate-Limit-Reset"] == "2027-01-15T08:01:00Z"
        assert "Retry-After" not in answer.headers


def test_the_call_beyond_the_window_gets_429_until_it_is_over(degreed: DegreedSandbox, client: Client) -> None:
    for _ in range(70):
        assert client.http.get(COURSES_PAGE).status_code == 200
    degreed.clock = lambda: NOW + 18.5

    refused = client.http.get(COURSES_PAGE)
    degreed.clock = lambda: NOW + 60

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "42")
    assert error_of(refused) == {
        "id": "429-quota-exceeded",
        "code": "quota-exceeded",
        "status": 429,
        "title": "API calls quota exceeded.",
        "detail": "Maximum 70 requests allowed per 1m.",
    }
    assert client.http.get(COURSES_PAGE).status_code == 200


# --- courses --------------------------------------------------------------------------------------------------------


def test_a_created_course_is_answered_with_its_id_and_can_be_read(client: Client) -> None:
    answer = client.create()

    data = answer.json()["data"]
    assert answer.status_code == 201
    assert data["attributes"].items() >= {**COURSE, "obsolete": False}.items()
    assert client.http.get(f"{COURSES_PAGE}/{data['id']}").json()["data"]["attributes"] == data["attributes"]


@pytest.mark.parametrize("taken", ["external-id", "url"])
def test_an_external_id_or_a_url_that_is_taken_gets_409_even_by_an_obsolete_course(client: Client, taken: str) -> None:
    client.created("other", **{taken: COURSE[taken], "obsolete": True})

    assert error_of(client.create())["source"] == {"pointer": f"/data/attributes/{taken}"}


def test_an_update_into_what_is_taken_gets_409_and_one_into_its_own_does_not(client: Client) -> None:
    client.created("a")
    other = client.created("b")

    assert client.update(other, url="https://learn.test/a").status_code == 409
    assert client.update(other, url="https://learn.test/b").status_code == 200


@pytest.mark.parametrize("is_taken", [False, True])
def test_whether_what_was_deleted_stays_taken_is_a_knob(is_taken: bool) -> None:
    client = Client(DegreedSandbox(deleted_stay_taken=is_taken))
    client.delete(client.create().json()["data"]["id"])

    assert client.create().status_code == (409 if is_taken else 201)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""),
        ({}, "/data"),
        ({"data": {"type": "content/books", "attributes": COURSE}}, "/data/type"),
        (document({**COURSE, "title": None}), "/data/attributes/title"),
        (document({"title": "A", "url": "https://a.test"}), "/data/attributes/external-id"),
        (document({**COURSE, "url": "a"}), "/data/attributes/url"),
        (document({**COURSE, "language": "en-us"}), "/data/attributes/language"),
        (document({**COURSE, "colour": "red"}), "/data/attributes/colour"),
        (document({**COURSE, "duration": "1"}), "/data/attributes/duration"),
    ],
)
def test_what_is_no_course_gets_400_and_is_pointed_at(client: Client, body: object, pointer: str) -> None:
    error = error_of(client.http.post(COURSES_PAGE, json=body))

    assert (error["code"], error.get("source", {}).get("pointer", "")) == ("bad-request", pointer)


def test_a_body_that_is_no_json_gets_400(client: Client) -> None:
    answer = client.http.post(COURSES_PAGE, content="{", headers={"Content-Type": "application/json"})

    assert error_of(answer)["detail"] == "The body is not JSON."


def test_an_update_changes_what_it_names_and_nothing_else(degreed: DegreedSandbox, client: Client) -> None:
    course_id = client.created("a", summary="Old", difficulty="Hard")

    answer = client.update(course_id, summary=None, obsolete=True)

    assert answer.json()["data"]["id"] == course_id
    [course] = degreed.content()
    assert (course["summary"], course["difficulty"], course["obsolete"]) == (None, "Hard", True)
    assert degreed.offered() == {}


def test_an_update_takes_no_required_attribute_away_and_no_other_id(client: Client) -> None:
    course_id = client.created("a")
    other = client.http.patch(f"{COURSES_PAGE}/{course_id}", json=document({}, course_id="other"))

    assert client.update(course_id, title=None).status_code == 400
    assert error_of(other)["source"] == {"pointer": "/data/id"}


@pytest.mark.parametrize("status", [404, 410])
def test_a_deleted_course_is_gone_and_an_unknown_one_not_found(status: int) -> None:
    client = Client(DegreedSandbox(gone_status=status))
    course_id = client.created("a")

    assert client.delete(course_id).status_code == 204
    for answer in (client.update(course_id), client.delete(course_id), client.http.get(f"{COURSES_PAGE}/{course_id}")):
        assert answer.status_code == status
    assert client.update("never").status_code == 404


# --- lists ----------------------------------------------------------------------------------------------------------


def test_a_list_leaves_out_what_is_obsolete_and_a_filter_does_not(client: Client) -> None:
    shown, hidden = client.created("a"), client.created("b+c", obsolete=True)

    assert [course["id"] for course in client.listed()["data"]] == [shown]
    assert [course["id"] for course in client.listed("?filter[external_id]=b%2Bc")["data"]] == [hidden]
    assert client.listed("?filter[external_id]=b+c")["data"] == []  # The plus sign decodes to a space.


def test_filters_can_be_loose_blind_for_the_obsolete_and_for_other_providers(
    degreed: DegreedSandbox, client: Client
) -> None:
    for external_id in ("AB", "ab", "abc"):
        client.created(external_id, obsolete=external_id == "abc")
    degreed.filter_is_loose, degreed.filter_finds_obsolete, degreed.unseen_external_ids = True, False, {"AB"}

    found = client.listed("?filter[external_id]=Ab")["data"]

    assert [course["attributes"]["external-id"] for course in found] == ["ab"]


def test_a_list_comes_in_pages_of_a_snapshot(client: Client) -> None:
    ids = [client.created(f"c{number}") for number in range(5)]

    first = client.listed("?limit=2")
    client.created("late")
    second = client.http.get(first["links"]["next"]).json()
    third = client.http.get(second["links"]["next"]).json()

    assert [course["id"] for page in (first, second, third) for course in page["data"]] == ids
    assert third["links"]["next"] is None


def test_a_snapshot_lives_for_two_minutes_and_pages_have_a_hundred_courses_at_most(
    degreed: DegreedSandbox, client: Client
) -> None:
    for number in range(11):
        client.created(f"c{number}")
    page = client.listed()
    degreed.clock = lambda: NOW + 120

    assert len(page["data"]) == 10
    assert error_of(client.http.get(page["links"]["next"]))["code"] == "bad-request"
    assert error_of(client.http.get(f"{COURSES_PAGE}?limit=101"))["code"] == "bad-request"


# --- skills ---------------------------------------------------------------------------------------------------------


def test_skills_are_replaced_by_a_relationship(degreed: DegreedSandbox, client: Client) -> None:
    course_id = client.created("a")

    answers = [
        client.set_skills(course_id, {"data": [{"type": "skills", "id": name} for name in names]})
        for names in (["Python", "R"], ["Go"])
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert [course["skills"] for course in degreed.content()] == [["Go"]]


@pytest.mark.parametrize(
    "body", [["Python"], {"data": ["Python"]}, {"data": [{"type": "skill", "id": "x"}]}, {"data": {"type": "skills"}}]
)
def test_what_is_no_relationship_to_skills_gets_400(client: Client, body: object) -> None:
    assert error_of(client.set_skills(client.created("a"), body))["code"] == "bad-request"


def test_skills_of_no_course_get_404_and_those_that_the_key_may_not_set_403(
    degreed: DegreedSandbox, client: Client
) -> None:
    assert client.set_skills("never", {"data": []}).status_code == 404

    degreed.may_set_skills = False
    assert client.set_skills(client.created("a"), {"data": []}).status_code == 403


# --- the sandbox itself ---------------------------------------------------------------------------------------------


def test_operations_are_counted_by_method_and_path(degreed: DegreedSandbox, client: Client) -> None:
    client.update(client.created("a"), title="B")
    client.http.put(COURSES_PAGE)

    assert degreed.calls == {
        "POST /oauth/token": 1,
        "POST /api/v2/content/courses": 1,
        "PATCH /api/v2/content/courses/…": 1,
        "PUT /api/v2/content/courses": 1,
    }


def test_a_reset_clears_courses_tokens_and_the_window(degreed: DegreedSandbox, client: Client) -> None:
    client.created("a")

    degreed.reset()

    assert degreed.content() == []
    assert client.http.get(COURSES_PAGE).status_code == 401
    assert Client(degreed).http.get(COURSES_PAGE).headers["X-Rate-Limit-Remaining"] == "69"
