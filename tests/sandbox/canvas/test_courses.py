"""Courses in the sandbox Canvas: create, show, change, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from enterprise_catalog.sandbox.canvas.settings import SUFFICIENT_PERMISSIONS
from tests.sandbox.canvas.client import NOT_FOUND, UNAUTHORIZED, CanvasClient

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.canvas.api import CanvasSandbox

# --- create ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("offer", "state"), [(True, "available"), (False, "unpublished")])
def test_a_new_course_is_published_only_if_it_is_offered(client: CanvasClient, *, offer: bool, state: str) -> None:
    answer = client.create("A", offer=offer, name="Data")

    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["id"], shown["name"], shown["integration_id"], shown["workflow_state"]) == (101, "Data", "A", state)


def test_a_course_without_a_name_gets_one(client: CanvasClient) -> None:
    assert client.create().json()["name"] == "Unnamed Course"


def test_an_offer_within_the_course_and_an_image_are_dropped_without_a_word(
    canvas: CanvasSandbox, client: CanvasClient
) -> None:
    shown = client.create(offer=False, image_url="https://img.example.org/a.jpg").json()

    [course] = canvas.content()
    assert shown["workflow_state"] == "unpublished"
    assert course["image_download_url"] is None


@pytest.mark.parametrize("state", ["claimed", "available", "completed", "deleted"])
def test_an_integration_id_stays_taken_in_any_state_of_its_course(
    canvas: CanvasSandbox, client: CanvasClient, state: str
) -> None:
    canvas.table.add(integration_id="A", workflow_state=state, account_id=2)

    answer = client.create("A")

    message = 'Integration ID "A" is already in use'
    assert answer.status_code == 400
    assert answer.json() == {
        "errors": {"integration_id": [{"attribute": "integration_id", "type": message, "message": message}]}
    }
    assert client.create("a").status_code == 200


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"name": "x" * 256}, "name", "is too long (maximum is 255 characters)"),
        ({"course_code": "x" * 256}, "course_code", "is too long (maximum is 255 characters)"),
        ({"syllabus_body": "x" * 512_000}, "syllabus_body", "is too long (maximum is 511999 characters)"),
        ({"default_view": "home"}, "default_view", "Home page is not valid"),
        (
            {
                "start_at": "2026-02-01T00:00:00Z",
                "end_at": "2026-01-01T00:00:00Z",
                "restrict_enrollments_to_course_dates": True,
            },
            "conclude_at",
            "End date cannot be before start date",
        ),
    ],
)
def test_what_is_not_valid_is_refused_by_field(
    canvas: CanvasSandbox, client: CanvasClient, fields: dict[str, Any], field: str, message: str
) -> None:
    created, changed = client.create(**fields), client.change(canvas.table.add().id, **fields)

    for answer in (created, changed):
        assert answer.status_code == 400
        [error] = answer.json()["errors"][field]
        assert error["message"] == message
    assert len(canvas.content()) == 1


def test_dates_are_dropped_unless_they_restrict_enrollments(client: CanvasClient) -> None:
    shown = client.create(start_at="2026-02-01T00:00:00Z", end_at="2026-01-01T00:00:00Z").json()

    assert (shown["start_at"], shown["end_at"]) == (None, None)


def test_a_user_without_the_permission_creates_no_public_course(canvas: CanvasSandbox, client: CanvasClient) -> None:
    public = client.create("A", is_public=True).json()
    canvas.permissions = SUFFICIENT_PERMISSIONS - {"manage_course_visibility"}
    private = client.create("B", is_public=True).json()

    assert (public["is_public"], private["is_public"]) == (True, False)


def test_a_canvas_may_answer_201_and_leave_integration_ids_out(client: CanvasClient, canvas: CanvasSandbox) -> None:
    canvas.created_status, canvas.keeps_integration_ids = 201, False

    answer = client.create("A")

    assert (answer.status_code, answer.json()["integration_id"]) == (201, None)


# --- show -----------------------------------------------------------------------------------------------------------


def test_a_course_is_shown_by_any_of_its_names(canvas: CanvasSandbox, client: CanvasClient) -> None:
    canvas.table.add(integration_id="A+1/é ", sis_course_id="S")
    packed = "A+1/é ".encode().hex()

    for name in ("101", "sis_course_id:S", f"hex:sis_integration_id:{packed}"):
        assert client.send("GET", f"courses/{name}").json()["id"] == 101


def test_spaces_around_a_name_in_a_path_are_not_part_of_it(canvas: CanvasSandbox, client: CanvasClient) -> None:
    canvas.table.add(integration_id="A")
    canvas.table.add(integration_id="A ")

    assert client.send("GET", "courses/sis_integration_id:A%20").json()["id"] == 101


def test_a_deleted_course_is_shown_only_on_request(canvas: CanvasSandbox, client: CanvasClient) -> None:
    canvas.table.add(integration_id="A", workflow_state="deleted")

    hidden, shown = client.send("GET", "courses/101"), client.send("GET", "courses/101?include[]=all_courses")

    assert (hidden.status_code, hidden.json()) == (404, NOT_FOUND)
    assert shown.json()["workflow_state"] == "deleted"


def test_ids_of_other_systems_are_shown_only_to_users_who_may_read_sis_data(
    canvas: CanvasSandbox, client: CanvasClient
) -> None:
    canvas.table.add(integration_id="A")
    with_ids = client.send("GET", "courses/101").json()
    canvas.permissions = SUFFICIENT_PERMISSIONS - {"read_sis"}

    without = client.send("GET", "courses/101").json()

    assert with_ids.keys() - without.keys() == {"integration_id", "sis_course_id"}
    assert client.send("GET", "accounts/1/courses").json() == [without]


def test_long_texts_and_images_are_shown_only_on_request(canvas: CanvasSandbox, client: CanvasClient) -> None:
    canvas.table.add()

    bare = client.send("GET", "courses/101").json()
    full = client.send("GET", "courses/101?include[]=syllabus_body&include[]=course_image").json()

    assert full.keys() - bare.keys() == {"syllabus_body", "image_download_url"}


# --- change ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "event", "after"),
    [
        ("claimed", "offer", "available"),
        ("available", "offer", "available"),
        ("available", "claim", "unpublished"),
        ("available", "conclude", "completed"),
        ("completed", "offer", "available"),
        ("completed", "delete", "deleted"),
        ("deleted", "delete", "deleted"),
        ("deleted", "undelete", "unpublished"),
    ],
)
def test_an_event_changes_the_state(
    canvas: CanvasSandbox, client: CanvasClient, before: str, event: str, after: str
) -> None:
    canvas.table.add(workflow_state=before)

    assert client.change(101, event=event).json()["workflow_state"] == after


@pytest.mark.parametrize(
    ("before", "event"), [("deleted", "offer"), ("deleted", "conclude"), ("available", "undelete"), ("claimed", "no")]
)
def test_an_event_that_is_invalid_in_the_state_rejects_the_whole_request(
    canvas: CanvasSandbox, client: CanvasClient, before: str, event: str
) -> None:
    canvas.table.add(workflow_state=before, name="Old")

    answer = client.change(101, event=event, name="New")

    assert answer.status_code == 400
    assert "workflow_state" in answer.json()["errors"]
    assert canvas.table.rows[101].name == "Old"


def test_fields_that_are_not_sent_stay(canvas: CanvasSandbox, client: CanvasClient) -> None:
    client.create("A", name="Data", syllabus_body="Text")

    client.change(101, name="More data")

    [course] = canvas.content()
    assert (course["name"], course["integration_id"], course["syllabus_body"]) == ("More data", "A", "Text")


def test_an_image_is_set_replaced_and_taken_away(canvas: CanvasSandbox, client: CanvasClient) -> None:
    canvas.table.add()

    def image_after(**fields: Any) -> object:
        client.change(101, **fields)
        [course] = canvas.content()
        return course["image_download_url"]

    assert image_after(image_url="https://img.example.org/a.jpg") == "https://img.example.org/a.jpg"
    assert image_after(name="Data") == "https://img.example.org/a.jpg"
    assert image_after(remove_image=True) is None


@pytest.mark.parametrize("address", ["https://img.example.org/ä.jpg", "https://img.example.org/a b.jpg", "x[1]"])
def test_an_image_that_ruby_would_not_parse_is_refused(
    canvas: CanvasSandbox, client: CanvasClient, address: str
) -> None:
    canvas.table.add()

    answer = client.change(101, image_url=address)

    assert answer.json()["errors"]["image_url"][0]["message"] == "image_url is not a valid URL"


def test_a_course_may_be_closed_to_the_person(canvas: CanvasSandbox, client: CanvasClient) -> None:
    canvas.table.add()
    canvas.forbidden_course_ids = {101}

    answers = [client.send("GET", "courses/101"), client.change(101, name="N"), client.send("DELETE", "courses/101")]

    assert [answer.status_code for answer in answers] == [401, 401, 400]
    assert answers[0].json() == UNAUTHORIZED


def test_recovery_is_not_guaranteed(canvas: CanvasSandbox, client: CanvasClient) -> None:
    canvas.can_undelete = False
    canvas.table.add(workflow_state="deleted")

    assert client.change(101, event="undelete").status_code == 400
    assert canvas.table.rows[101].workflow_state == "deleted"


# --- delete ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("event", "state"), [("conclude", "completed"), ("delete", "deleted")])
def test_a_delete_returns_its_event(canvas: CanvasSandbox, client: CanvasClient, event: str, state: str) -> None:
    canvas.table.add(integration_id="A", workflow_state="available")

    answer = client.send("DELETE", "courses/101", event=event)

    assert (answer.status_code, answer.json()) == (200, {event: True})
    assert canvas.table.rows[101].workflow_state == state
    assert canvas.table.rows[101].integration_id == "A"
    assert canvas.offered() == {}


@pytest.mark.parametrize("event", ["", "offer"])
def test_a_delete_without_an_event_is_rejected(canvas: CanvasSandbox, client: CanvasClient, event: str) -> None:
    canvas.table.add()

    answer = client.send("DELETE", "courses/101", event=event)

    assert answer.status_code == 400
    assert answer.json() == {"message": 'Only "delete" and "conclude" events are allowed.'}
