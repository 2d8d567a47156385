"""PHP's parsing of forms, as far as clients of a PHP site depend on it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from enterprise_catalog.sandbox.application import SandboxRequest
from enterprise_catalog.sandbox.moodle.php_forms import nest, read_parameters, split_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.sandbox.moodle.php_forms import PHPArray, PHPValue

FORM = "application/x-www-form-urlencoded"

keys = st.integers(min_value=0, max_value=10**6) | st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
arrays = st.recursive(
    st.dictionaries(keys, st.text(), min_size=1, max_size=4),
    lambda inner: st.dictionaries(keys, st.text() | inner, min_size=1, max_size=4),
    max_leaves=12,
)


def flatten(value: PHPValue, name: str) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(name, value)]
    return [field for key, inner in value.items() for field in flatten(inner, f"{name}[{key}]")]


def request(*, query: str = "", body: bytes = b"", content_type: str = FORM, method: str = "POST") -> SandboxRequest:
    builder = EnvironBuilder(query_string=query, input_stream=None, data=body, content_type=content_type, method=method)
    return SandboxRequest(builder.get_environ())


def variables(count: int) -> bytes:
    return urlencode({f"v{number}": "x" for number in range(count)}).encode()


@given(arrays)
def test_what_is_sent_in_brackets_arrives_as_it_was(array: PHPArray) -> None:
    assert nest(flatten(array, "courses")) == {"courses": array}


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=1&a=2", {"a": "2"}),
        (b"a", {"a": ""}),
        (b"a=x%20y+z", {"a": "x y z"}),
        (b"a[0][k]=1&a[0][l]=2", {"a": {0: {"k": "1", "l": "2"}}}),
        (b"a%5B7%5D=1&a%5Bx%5D=2", {"a": {7: "1", "x": "2"}}),
        (b"a[]=1&a[]=2", {"a": {0: "1", 1: "2"}}),
        (b"a[5]=1&a[]=2", {"a": {5: "1", 6: "2"}}),
        (b"a[][k]=1&a[][l]=2", {"a": {0: {"k": "1"}, 1: {"l": "2"}}}),
        (b"a[007]=1", {"a": {"007": "1"}}),
        (b"a=1&a[k]=2", {"a": {"k": "2"}}),
        (b"a.b c=1", {"a_b_c": "1"}),
        (b"a[k=1", {"a_k": "1"}),
        (b"a[k]rest=1", {"a": {"k": "1"}}),
        (b"=1&[k]=2&%20a=3", {"a": "3"}),
    ],
)
def test_names_mean_what_they_mean_to_php(encoded: bytes, expected: Mapping[str, object]) -> None:
    assert nest(split_fields(encoded)) == expected


def test_the_form_wins_over_the_query() -> None:
    parameters = read_parameters(request(query="a=query&b=query", body=b"a=form"), max_input_vars=1000)

    assert parameters == {"a": "form", "b": "query"}


def test_a_form_in_a_get_request_is_not_read() -> None:
    assert read_parameters(request(query="a=1", body=b"b=2", method="GET"), max_input_vars=1000) == {"a": "1"}


def test_json_is_not_read() -> None:
    body = request(body=b'{"a": "1"}', content_type="application/json")

    assert read_parameters(body, max_input_vars=1000) == {}


def test_bytes_that_are_not_utf_8_can_be_distinguished() -> None:
    assert read_parameters(request(body=b"a=%FF&b=\xc3\xa9"), max_input_vars=1000) == {"a": "\udcff", "b": "é"}


def test_a_url_encoded_body_is_cut_one_past_the_limit() -> None:
    parameters = read_parameters(request(body=variables(1500)), max_input_vars=1000)

    assert list(parameters) == [f"v{number}" for number in range(1001)]


def test_a_query_is_cut_at_the_limit_and_counted_apart_from_the_body() -> None:
    parameters = read_parameters(request(query=variables(30).decode(), body=b"a=1&b=2"), max_input_vars=20)

    assert list(parameters) == [*(f"v{number}" for number in range(20)), "a", "b"]


def test_a_multipart_body_is_cut_at_the_limit() -> None:
    builder = EnvironBuilder(
        method="POST", data={f"v{n}": "x" for n in range(1200)}, content_type="multipart/form-data"
    )

    parameters = read_parameters(SandboxRequest(builder.get_environ()), max_input_vars=1000)

    assert list(parameters) == [f"v{number}" for number in range(1000)]
