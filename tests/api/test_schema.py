"""``/api/schema/`` and ``/api-docs/``: the OpenAPI schema is valid and describes every response."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from enterprise_catalog.api.v1 import urls as version_1
from enterprise_catalog.api.v2 import urls as version_2
from tests.api.endpoints import address
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.test import Client

UUID_IN_PATH: Final = "/api/v1/enterprise-catalogs/{uuid}/"
UUID_IN_PATH_2: Final = "/api/v2/enterprise-catalogs/{uuid}/"
CUSTOMER_IN_PATH: Final = "/api/v1/enterprise-customer/{customer_uuid}/"
CUSTOMER_IN_PATH_2: Final = "/api/v2/enterprise-customer/{customer_uuid}/"
CHANNELS: Final = "/api/v1/integrated-channels/"
LOOKUP: Final = "/api/v1/content-lookup/"
CUSTOMERS: Final = "/api/v1/enterprise-customers/"
QUERIES: Final = "/api/v1/catalog-queries/"
OPERATIONS: Final = [
    ("get", LOOKUP),
    ("get", CUSTOMERS),
    ("get", QUERIES),
    ("get", "/api/v1/enterprise-catalogs/"),
    ("get", UUID_IN_PATH),
    ("post", f"{UUID_IN_PATH}content-diff/"),
    ("post", f"{UUID_IN_PATH}content-metadata/"),
    ("get", f"{UUID_IN_PATH}content-metadata/"),
    ("post", f"{UUID_IN_PATH}generate_diff"),
    ("get", f"{UUID_IN_PATH}get_content_metadata"),
    ("get", f"{UUID_IN_PATH}contains_content_items/"),
    ("get", f"{UUID_IN_PATH_2}contains_content_items/"),
    ("get", f"{CUSTOMER_IN_PATH}contains_content_items/"),
    ("get", f"{CUSTOMER_IN_PATH_2}contains_content_items/"),
    ("post", f"{CUSTOMER_IN_PATH}filter_content_items/"),
    ("post", f"{CUSTOMER_IN_PATH_2}filter_content_items/"),
    ("get", f"{CUSTOMER_IN_PATH}content-metadata/{{identifier}}"),
    ("get", f"{CUSTOMER_IN_PATH_2}content-metadata/{{identifier}}"),
    ("get", f"{UUID_IN_PATH_2}get_content_metadata"),
]
#: Operation -> its required parameters, for the customer with this UUID.
PARAMETERS: Final = {LOOKUP: "?enterprise_customer={}&content_key=edX%2BDemoX"} | dict.fromkeys(
    [path for _, path in OPERATIONS if path.endswith("contains_content_items/")],
    "?course_run_ids=edX%2BDemoX&get_catalog_list=1",
)
#: Fields that a response contains on request.
OPTIONAL: Final = {"catalog_list", "num_pages", "current_page", "start"}
SENT: Final = {"content_keys": ["edX+DemoX", "edX+GoneX"]}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The schema's part about the catalog service; see tests/integrated_channels/api/test_schema.py for the rest."""
    generator: Any = SchemaGenerator
    generated: dict[str, Any] = generator().get_schema(request=None, public=True)
    paths = {path: each for path, each in generated["paths"].items() if not path.startswith(CHANNELS)}
    return {**generated, "paths": paths}


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Resolve a ``$ref``, also of an enum; return ``part`` itself if it has none."""
    [part] = part.get("allOf", [part])
    found = part
    for name in part.get("$ref", "#").split("/")[1:]:
        found = (schema if found is part else found)[name]
    return found


def assert_described(schema: dict[str, Any], part: dict[str, Any], value: Any) -> None:
    """Fail unless ``value`` and all nested objects have exactly the fields in the schema."""
    description = resolved(schema, part)
    if value is None and part.get("nullable"):
        return
    if description["type"] == "array":
        for element in value:
            assert_described(schema, description["items"], element)
    elif "properties" in description:
        required = set(description["required"]) | OPTIONAL & set(value)
        assert set(value) == set(description["properties"]) == required
        for name, field in description["properties"].items():
            assert_described(schema, field, value[name])


def test_it_is_valid_and_generated_without_a_warning() -> None:
    output = StringIO()

    call_command("spectacular", "--validate", "--fail-on-warn", stdout=output)

    assert output.getvalue().startswith("openapi: 3.")


def test_it_is_open_to_all(client: Client) -> None:
    response = client.get("/api/schema/", {"format": "json"})

    assert response.status_code == 200
    assert response.json()["info"]["title"] == "Enterprise Catalog"


def test_the_page_to_try_it_is_open_to_all(client: Client) -> None:
    page, script = client.get("/api-docs/"), client.get("/api-docs/", {"script": ""})

    assert (page.status_code, script.status_code) == (200, 200)
    assert "/api-docs/?script=" in page.content.decode()
    assert "/api/schema/" in script.content.decode()


def test_the_page_to_try_it_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api-docs/").content.decode()

    assert "//cdn." not in page
    assert "/static/drf_spectacular_sidecar/" in page


def test_it_describes_each_address_once(schema: dict[str, Any]) -> None:
    named = [pattern for pattern in [*version_1.urlpatterns, *version_2.urlpatterns] if pattern.name]

    assert len(schema["paths"]) == len(named)
    assert all(not path.endswith("_diff/") and not path.endswith("_metadata/") for path in schema["paths"])


def test_the_schema_describes_how_callers_authenticate(schema: dict[str, Any]) -> None:
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert {"jwtAuth": []} in operation["security"]


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("DiffRequestRequest", {"maxItems": 250_000}),
        ("LegacyDiffRequestRequest", {"maxItems": 250_000}),
        ("MetadataRequestRequest", {"minItems": 1, "maxItems": 1_000}),
    ],
)
def test_it_states_the_limits_of_what_is_sent(schema: dict[str, Any], name: str, limits: dict[str, int]) -> None:
    keys = schema["components"]["schemas"][name]["properties"]["content_keys"]

    assert limits.items() <= keys.items()
    assert keys["items"] == {"type": "string", "minLength": 1, "maxLength": 255}


def target_of(path: str, catalog: UUID, customer: UUID) -> str:
    """Return the URL of an operation, with its required parameters."""
    return path.format(uuid=catalog, customer_uuid=customer, identifier="edX+DemoX") + PARAMETERS.get(path, "").format(
        customer
    )


@pytest.mark.django_db
@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_it_describes_each_answer(operator: APIClient, schema: dict[str, Any], method: str, path: str) -> None:
    catalog = CatalogFactory.create(content=["edX+DemoX", "edX+NewX"])
    target = target_of(path, catalog.pk, catalog.enterprise_customer_id)

    response = operator.get(target) if method == "get" else operator.post(target, SENT)

    assert response.status_code == 200
    described = schema["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
    assert_described(schema, described, json.loads(response.content))


# --- statuses ------------------------------------------------------------------------------------------------------

NOWHERE: Final = UUID(int=0)
BODY: Final = json.dumps(SENT).encode()
BAD_PARAMETERS: Final = (
    *(
        "page_size=null",
        "page_size=",
        "page_size=0",
        "page_size=1001",
        "page=0",
        "content_key=",
        "q=%00",
        "include_deleted=x",
    ),
    f"course_run_ids={'k' * 256}",
)


def answers_of(
    operator: APIClient, others: Sequence[APIClient], method: str, target: str, nowhere: str
) -> dict[int, Any]:
    """Call an operation correctly and with each possible error; return the responses by status.

    Args:
        others: clients without access: without a token, for another customer, without a role.
        target: the URL of the operation.
        nowhere: its URL for a catalog or customer that does not exist.
    """
    body: dict[str, Any] = {"data": BODY, "content_type": "application/json"} if method == "post" else {}

    def call(client: APIClient, parameter: str = "", url: str = target, **changes: Any) -> Any:
        url += f"{'&' if '?' in url else '?'}{parameter}" if parameter else ""
        return client.generic(method.upper(), url, **{**body, **changes})

    etag = call(operator).headers.get("ETag", "")
    answers = [
        *(call(client, f"enterprise_customer={NOWHERE}") for client in others),
        call(operator, "page=9", nowhere),
        call(operator, HTTP_ACCEPT="application/xml"),
        call(operator, HTTP_IF_NONE_MATCH=etag),
    ]
    if method == "post":
        answers += [
            call(operator, data=b"{"),
            call(operator, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked"),
            call(operator, CONTENT_LENGTH=str(2**27)),
            call(operator, content_type="text/plain"),
        ]
    else:
        answers += [call(operator, parameter) for parameter in BAD_PARAMETERS]
    return {answer.status_code: answer for answer in [*answers, call(operator)]}


def unavailable(*_: Any) -> None:
    raise OperationalError("gone")


@pytest.mark.django_db
@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_each_documented_status_occurs_and_no_other(
    client_with: Callable[..., APIClient],
    schema: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
) -> None:
    catalog = CatalogFactory.create(content=["edX+DemoX"])
    operator, other = client_with("enterprise_openedx_operator:*"), client_with("enterprise_admin:" + "1" * 32)
    target = target_of(path, catalog.pk, catalog.enterprise_customer_id)
    others = [APIClient(), other, client_with()]
    answers = answers_of(operator, others, method, target, target_of(path, NOWHERE, NOWHERE))
    with connection.execute_wrapper(unavailable):
        answers[503] = getattr(operator, method)(target)
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.THROTTLE_RATES", {"user": "1/minute"})
    answers[429] = getattr(operator, method)(target)

    documented = schema["paths"][path][method]["responses"]

    assert {int(status) for status in documented} == set(answers)
    for status, answer in answers.items():
        assert answer.status_code == status
        if status >= 400:
            assert_error(schema, documented[str(status)], answer.json())


def assert_error(schema: dict[str, Any], response: dict[str, Any], error: dict[str, Any]) -> None:
    described = resolved(schema, response["content"]["application/json"]["schema"])
    assert set(described["required"]) <= set(error)
    if "additionalProperties" not in described:
        assert set(error) == set(described["properties"])
    assert all(isinstance(value, str if name in described["properties"] else list) for name, value in error.items())


def test_it_names_a_server(schema: dict[str, Any]) -> None:
    assert schema["servers"] == [{"url": "/", "description": "This service"}]


def test_only_generate_diff_can_go_without_a_body(schema: dict[str, Any]) -> None:
    required = {
        path: operations["post"]["requestBody"].get("required", False)
        for path, operations in schema["paths"].items()
        if "requestBody" in operations.get("post", {})
    }

    assert {path.rpartition("}/")[2] for path, is_required in required.items() if not is_required} == {"generate_diff"}


@pytest.mark.django_db
def test_a_cursor_has_the_format_that_it_describes(operator: APIClient, schema: dict[str, Any]) -> None:
    catalog = CatalogFactory.create(content=["edX+ü/?", "edX+X"])
    operation = schema["paths"][f"{UUID_IN_PATH}content-metadata/"]["get"]
    [cursor] = [parameter for parameter in operation["parameters"] if parameter["name"] == "cursor"]
    page = operator.get(address(catalog.pk, "content-metadata/"), {"page_size": 1}).json()

    [written] = parse_qs(urlsplit(page["next"]).query)["cursor"]

    assert re.fullmatch(cursor["schema"]["pattern"], written)
