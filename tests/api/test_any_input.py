"""Fuzzing: any input gets a correct response or an error that explains the problem, never a 500."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.endpoints import CATALOGS, READABLE, TAKING_KEYS, address
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

#: The tests only read the catalog and the client, so all examples of a test can share them.
SHARING: Final = settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
texts = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(texts, children, max_size=4),
    max_leaves=8,
)


@pytest.fixture
def catalog_uuid() -> UUID:
    return CatalogFactory.create(courses=1).pk


@SHARING
@pytest.mark.parametrize("end", TAKING_KEYS)
@given(value=values)
def test_any_value_for_the_keys(operator: APIClient, catalog_uuid: UUID, end: str, value: Any) -> None:
    response = operator.post(
        address(catalog_uuid, end), json.dumps({"content_keys": value}).encode(), content_type="application/json"
    )

    if response.status_code == 200:
        assert isinstance(value, list)
        assert all(isinstance(key, str) and key for key in value)
    else:
        assert response.status_code == 400
        assert set(response.json()) == {"content_keys", "code"}


@SHARING
@pytest.mark.parametrize("end", TAKING_KEYS)
@given(body=st.binary(min_size=1) | values.map(lambda value: json.dumps(value).encode()))
def test_any_body(operator: APIClient, catalog_uuid: UUID, end: str, body: bytes) -> None:
    response = operator.post(address(catalog_uuid, end), body, content_type="application/json")

    assert response.status_code == 400
    assert set(response.json()) == {"content_keys", "code"}


@SHARING
@pytest.mark.parametrize("end", [*READABLE, None])
@given(
    parameters=st.dictionaries(
        st.sampled_from(
            [
                *("cursor", "page", "page_size", "content_keys", "traverse_pagination", "enterprise_customer"),
                *("course_run_ids", "program_uuids"),
            ]
        ),
        texts | st.integers().map(str),
    )
)
def test_any_parameters(operator: APIClient, catalog_uuid: UUID, end: str | None, parameters: dict[str, str]) -> None:
    encodable = {name: text for name, text in parameters.items() if text.isprintable()}

    response = operator.get(CATALOGS if end is None else address(catalog_uuid, end), encodable)

    assert response.status_code in {200, 400, 404}
    assert isinstance(json.loads(response.getvalue()), dict)
