"""``/api/schema/`` and ``/api-docs/``: the API's description is valid, and says of each answer what is in it."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator

from enterprise_catalog.api.v1.urls import urlpatterns
from tests.api.endpoints import address
from tests.factories import a_catalog, a_course

if TYPE_CHECKING:
    from django.test import Client
    from rest_framework.test import APIClient

UUID_IN_PATH: Final = "/api/v1/enterprise-catalogs/{uuid}/"
SENT: Final = {"content_keys": ["edX+DemoX", "edX+GoneX"]}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    generator: Any = SchemaGenerator
    generated: dict[str, Any] = generator().get_schema(request=None, public=True)
    return generated


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Return what ``part`` refers to, or itself."""
    found = part
    for name in part.get("$ref", "#").split("/")[1:]:
        found = (schema if found is part else found)[name]
    return found


def assert_described(schema: dict[str, Any], part: dict[str, Any], value: Any) -> None:
    """Fail unless ``value`` and all objects in it have exactly the fields that the schema says they have."""
    description = resolved(schema, part)
    if description["type"] == "array":
        for element in value:
            assert_described(schema, description["items"], element)
    elif "properties" in description:
        assert set(value) == set(description["properties"]) == set(description["required"])
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
    response = client.get("/api-docs/")

    assert response.status_code == 200
    assert "/api/schema/" in response.content.decode()


def test_the_page_to_try_it_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api-docs/").content.decode()

    assert "//cdn." not in page
    assert "/static/drf_spectacular_sidecar/" in page


def test_it_describes_each_address_once(schema: dict[str, Any]) -> None:
    named = [pattern for pattern in urlpatterns if pattern.name]

    assert len(schema["paths"]) == len(named)
    assert all(not path.endswith("_diff/") and not path.endswith("_metadata/") for path in schema["paths"])


def test_it_tells_how_callers_show_who_they_are(schema: dict[str, Any]) -> None:
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


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/v1/enterprise-catalogs/"),
        ("get", UUID_IN_PATH),
        ("post", f"{UUID_IN_PATH}content-diff/"),
        ("post", f"{UUID_IN_PATH}content-metadata/"),
        ("get", f"{UUID_IN_PATH}content-metadata/"),
        ("post", f"{UUID_IN_PATH}generate_diff"),
        ("get", f"{UUID_IN_PATH}get_content_metadata"),
    ],
)
def test_it_describes_each_answer(operator: APIClient, schema: dict[str, Any], method: str, path: str) -> None:
    catalog = a_catalog(a_course("edX+DemoX"), a_course("edX+NewX"))
    target = path.replace(UUID_IN_PATH, address(catalog.pk))

    response = operator.get(target) if method == "get" else operator.post(target, SENT)

    assert response.status_code == 200
    described = schema["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
    assert_described(schema, described, json.loads(response.content))
