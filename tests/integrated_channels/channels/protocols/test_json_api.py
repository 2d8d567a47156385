"""Behavior shared by all JSON:API channels; Degreed's tests cover the rest."""

from __future__ import annotations

import json

import httpx
import pytest

from enterprise_catalog.integrated_channels.channels.protocols.json_api import JSONAPIClient, explain, one_resource
from enterprise_catalog.integrated_channels.exceptions import RejectedError, RetryableError
from enterprise_catalog.integrated_channels.lms.client import LMSClient, LMSResponse


class Wire:
    """Responds with one body after the other, and records the requests."""

    def __init__(self, *bodies: object, status: int = 200) -> None:
        self.requests: list[httpx.Request] = []
        self._bodies = iter(bodies)
        self._status = status

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self._status, json=next(self._bodies))


def connected(wire: Wire, **options: str) -> JSONAPIClient:
    client = LMSClient("https://lms.test", transport=httpx.MockTransport(wire))
    return JSONAPIClient(client, lambda: "token", **options)


def an_answer(body: object) -> LMSResponse:
    return LMSResponse(200, json.dumps(body).encode(), "", {})


def test_a_document_is_sent_as_the_specification_has_it() -> None:
    wire = Wire({"data": {"id": "7", "attributes": {"title": "A"}}})

    course = one_resource(connected(wire).send("POST", "/courses", data={"type": "courses"}))

    [request] = wire.requests
    assert json.loads(request.content) == {"data": {"type": "courses"}}
    assert request.headers["Content-Type"] == request.headers["Accept"] == "application/vnd.api+json"
    assert (course.id, course.attributes) == ("7", {"title": "A"})


def test_an_lms_may_want_another_media_type() -> None:
    wire = Wire({})

    connected(wire, media_type="application/json").send("POST", "/courses", data=[])

    [request] = wire.requests
    assert json.loads(request.content) == {"data": []}
    assert request.headers["Content-Type"] == request.headers["Accept"] == "application/json"


def test_a_request_without_a_document_names_no_type_of_one() -> None:
    wire = Wire({})

    connected(wire).send("GET", "/courses")

    [request] = wire.requests
    assert "Content-Type" not in request.headers
    assert request.content == b""


def test_a_list_is_read_to_its_last_page_at_the_configured_address() -> None:
    wire = Wire(
        {"data": [{"id": "1"}, {"id": "2"}], "links": {"next": "https://other.test/x?page%5Bcursor%5D=b"}},
        {"data": [{"id": "3"}], "links": {"next": None}},
    )

    found = [resource.id for resource in connected(wire).fetch_resources("/courses", {"filter[key]": "A"})]

    assert found == ["1", "2", "3"]
    assert [(request.url.host, dict(request.url.params)) for request in wire.requests] == [
        ("lms.test", {"filter[key]": "A"}),
        ("lms.test", {"page[cursor]": "b"}),
    ]


def test_a_rejection_is_reported_with_the_messages_of_its_errors() -> None:
    wire = Wire(
        {"errors": [{"code": "taken", "title": "Taken.", "detail": "A is taken."}, {"title": "No."}]}, status=422
    )

    with pytest.raises(RejectedError) as raised:
        connected(wire).send("POST", "/courses", data={})

    assert raised.value.vendor_code == "taken"
    assert raised.value.message == "The LMS returned 422: Taken. A is taken. No."


@pytest.mark.parametrize("body", [{"errors": []}, {"errors": "no"}, {"data": []}, [], None])
def test_what_is_no_list_of_errors_explains_nothing(body: object) -> None:
    assert explain(an_answer(body)) == ("", "")


@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": [{"id": "7"}]}, {"data": {"id": ""}}, {"data": {"id": 7}}, []]
)
def test_an_answer_without_one_resource_leaves_open_what_was_done(body: object) -> None:
    with pytest.raises(RetryableError, match="an unexpected response"):
        one_resource(an_answer(body))
