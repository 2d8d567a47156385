"""Invalid bodies: each endpoint that takes content keys returns a 400 that explains the problem."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.api.endpoints import KEY_LIMITS, TAKING_KEYS, address
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from django.http import HttpResponse
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from enterprise_catalog.catalog.models import EnterpriseCatalog

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite"), pytest.mark.parametrize("end", TAKING_KEYS)]


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return CatalogFactory.create(courses=1)


def post(client: APIClient, catalog: EnterpriseCatalog, end: str, body: bytes, **extra: Any) -> HttpResponse:
    extra.setdefault("content_type", "application/json")
    response: HttpResponse = client.generic("POST", address(catalog.pk, end), body, **extra)  # type: ignore[arg-type]  # the stubs accept text only
    return response


def complaint(response: HttpResponse) -> str:
    """Return the error message for ``content_keys`` in a 400 response."""
    assert response.status_code == 400, response.content
    body = json.loads(response.content)
    assert body["code"]
    [message] = body["content_keys"]
    assert isinstance(message, str)
    return message


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="cut off"),
        pytest.param(b"content_keys=edX%2BDemoX", id="a form"),
        pytest.param(b'{"content_keys": ["a"],}', id="a trailing comma"),
        pytest.param(b'{"content_keys": ["a", "\\ud800"]}', id="a lone surrogate"),
        pytest.param(b'{"content_keys": ["\xff"]}', id="no UTF-8"),
        pytest.param('{"content_keys": ["ä"]}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"content_keys": [NaN]}', id="NaN"),
        pytest.param(b'{"other": "\xff", "content_keys": []}', id="no UTF-8 in an ignored field"),
        pytest.param(b'{"other": "%s\xc3", "content_keys": []}' % (b"\xc3\xa4" * 2**16), id="no UTF-8, far in"),
        pytest.param(b" ", id="a space"),
    ],
)
def test_the_position_of_malformed_json_is_reported(
    operator: APIClient, catalog: EnterpriseCatalog, end: str, body: bytes
) -> None:
    response = post(operator, catalog, end, body)

    assert "not JSON" in complaint(response)
    assert "line 1 column" in complaint(response)


@pytest.mark.parametrize(
    "body", [b"null", b"1", b"0", b"false", b'"content_keys"', b'""', b"[]", b'["edX+DemoX"]', b"[" * 9_999]
)
def test_it_takes_only_an_object_as_body(
    operator: APIClient, catalog: EnterpriseCatalog, end: str, body: bytes
) -> None:
    response = post(operator, catalog, end, body)

    assert "must be a JSON object" in complaint(response)


@pytest.mark.parametrize("body", [b"{}", b'{"keys": ["edX+DemoX"]}'])
def test_it_misses_the_keys(operator: APIClient, catalog: EnterpriseCatalog, end: str, body: bytes) -> None:
    response = post(operator, catalog, end, body)

    assert "required" in complaint(response)


@pytest.mark.parametrize("value", [None, 1, 1.5, True, "edX+DemoX", "", {}, {"edX+DemoX": 1}])
def test_it_takes_only_a_list_of_keys(operator: APIClient, catalog: EnterpriseCatalog, end: str, value: object) -> None:
    response = post(operator, catalog, end, json.dumps({"content_keys": value}).encode())

    assert complaint(response)


@pytest.mark.parametrize(
    ("element", "fault"),
    [
        (None, "must be a string, not null."),
        (1, "must be a string, not int."),
        (1.5, "must be a string, not float."),
        (10**400, "must be a string, not number."),
        (True, "must be a string, not bool."),
        (["edX+DemoX"], "must be a string, not array."),
        ({"content_key": "edX+DemoX"}, "must be a string, not object."),
        ("", "is empty."),
        ("k" * 256, "is longer than 255 characters."),
        ("😀" * 256, "is longer than 255 characters."),
    ],
)
def test_it_names_the_position_of_the_first_bad_key(
    operator: APIClient, catalog: EnterpriseCatalog, end: str, element: object, fault: str
) -> None:
    keys = ["edX+DemoX", "😀" * 255, element, 5, ""]

    response = post(operator, catalog, end, json.dumps({"content_keys": keys}).encode())

    assert complaint(response) == f"content_keys[2] {fault}"


@pytest.mark.parametrize("opening", ["[", '{"":'])
def test_it_takes_no_deeply_nested_fields(
    operator: APIClient, catalog: EnterpriseCatalog, end: str, opening: str
) -> None:
    body = f'{{"other": {opening * 100_000}, "content_keys": []}}'.encode()

    response = post(operator, catalog, end, body)

    assert "nested too deeply" in complaint(response)


def test_it_names_a_key_that_is_nested_deeply(operator: APIClient, catalog: EnterpriseCatalog, end: str) -> None:
    body = b'{"content_keys": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"

    response = post(operator, catalog, end, body)

    assert complaint(response) == "content_keys[0] must be a string, not array."


def test_it_names_the_limit_when_there_are_more_keys(operator: APIClient, catalog: EnterpriseCatalog, end: str) -> None:
    limit = KEY_LIMITS[end]

    response = post(operator, catalog, end, json.dumps({"content_keys": ["k"] * (limit + 1)}).encode())

    assert f"at most {limit:,}" in complaint(response)


def test_as_many_keys_as_the_limit_are_accepted(operator: APIClient, catalog: EnterpriseCatalog, end: str) -> None:
    keys = [f"edX+{number}" for number in range(KEY_LIMITS[end])]

    response = post(operator, catalog, end, json.dumps({"content_keys": keys}).encode())

    assert response.status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "application/xml",
        "json",
        "",
    ],
)
def test_it_takes_no_other_content_type_than_json(
    operator: APIClient, catalog: EnterpriseCatalog, end: str, content_type: str
) -> None:
    response = post(operator, catalog, end, b'{"content_keys": ["edX+DemoX"]}', content_type=content_type)

    assert response.status_code == 415
    assert json.loads(response.content)["code"] == "unsupported_media_type"


def test_it_takes_no_body_beyond_the_limit(
    operator: APIClient, catalog: EnterpriseCatalog, end: str, settings: Settings
) -> None:
    body = b'{"content_keys": ["edX+DemoX"]}'
    settings.MAX_BODY_BYTES = len(body)

    fitting, too_large = post(operator, catalog, end, body), post(operator, catalog, end, body + b" ")

    assert (fitting.status_code, too_large.status_code) == (200, 413)
    assert json.loads(too_large.content) == {
        "detail": f"The request body is larger than {len(body)} bytes.",
        "code": "body_too_large",
    }


class UnreadableBody(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise AssertionError(f"{size} bytes of the body were read")


def test_it_refuses_a_large_body_without_reading_it(operator: APIClient, catalog: EnterpriseCatalog, end: str) -> None:
    length = str(64 * 1024 * 1024 + 1)

    response = post(operator, catalog, end, b"", **{"wsgi.input": UnreadableBody(), "CONTENT_LENGTH": length})

    assert response.status_code == 413


def test_it_never_takes_a_body_in_chunks_for_an_empty_one(
    operator: APIClient, catalog: EnterpriseCatalog, end: str
) -> None:
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}

    response = post(operator, catalog, end, b'{"content_keys": ["edX+DemoX"]}', **chunked)

    assert response.status_code == 411
    assert json.loads(response.content)["code"] == "length_required"


def test_it_never_takes_a_body_that_breaks_off_for_an_empty_one(
    operator: APIClient, catalog: EnterpriseCatalog, end: str
) -> None:
    response = post(operator, catalog, end, b"", **{"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "100"})

    assert "not JSON" in complaint(response)


@pytest.mark.parametrize("identifier", ["1", "not-a-uuid", "00000000-0000-0000-0000-00000000000g"])
def test_it_answers_404_to_what_is_no_uuid(operator: APIClient, end: str, identifier: str) -> None:
    response = operator.post(address(identifier, end), {"content_keys": ["edX+DemoX"]})

    assert response.status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_not_allowed(operator: APIClient, catalog: EnterpriseCatalog, end: str, method: str) -> None:
    response = operator.generic(method.upper(), address(catalog.pk, end), "{}", content_type="application/json")

    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"


def test_a_throttled_caller_receives_a_retry_after(
    operator: APIClient, catalog: EnterpriseCatalog, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.THROTTLE_RATES", {"user": "1/minute"})

    first, second = (operator.post(address(catalog.pk, end), {"content_keys": ["edX+DemoX"]}) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 429)
    assert 0 < int(second["Retry-After"]) <= 60
    assert second.json()["code"] == "throttled"
