"""Pagination cursors."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from enterprise_catalog.web.rest.cursors import BadCursorError, cursor_after, key_of_cursor

#: Any text that UTF-8 can encode.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=255)


@given(texts)
def test_a_cursor_stands_for_the_key_that_it_was_made_of(key: str) -> None:
    request = Request(APIRequestFactory().get("/catalog/?page_size=5&cursor=old"))

    following = parse_qs(urlsplit(cursor_after(request, key)).query, keep_blank_values=True)

    assert following["page_size"] == ["5"]
    [cursor] = following["cursor"]
    assert key_of_cursor(cursor) == key


@given(st.text(max_size=20))
def test_any_other_text_is_no_cursor(text: str) -> None:
    request = Request(APIRequestFactory().get("/"))
    try:
        key = key_of_cursor(text)
    except BadCursorError:
        return

    assert parse_qs(urlsplit(cursor_after(request, key)).query, keep_blank_values=True)["cursor"] == [text]


def test_the_empty_cursor_stands_before_all_keys() -> None:
    assert key_of_cursor("") == ""


@pytest.mark.parametrize("text", ["====", "a", "ä", "\ud800", "_w"])
def test_garbage_is_no_cursor(text: str) -> None:
    with pytest.raises(BadCursorError):
        key_of_cursor(text)
