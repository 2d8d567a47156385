"""HTML to plain text, cutting texts, timestamps, labels of content types, and payload hashes."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.channels.content.text import (
    cut,
    instant,
    kind_of,
    path_part,
    payload_hash,
    plain,
)
from tests.integrated_channels.channels.items import an_item

lengths = st.integers(min_value=1, max_value=40)
payloads = st.dictionaries(st.text(), st.none() | st.integers(-(2**53), 2**53) | st.text() | st.booleans(), min_size=2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \t folded\n\u00a0white\u2003space ", "folded white space"),
        ("<p>One</p><p>Two</p>", "One Two"),
        ("One<br/>Two<BR>Three", "One Two Three"),
        ("Learn <b>fast</b>!", "Learn fast!"),
        ("H<sub>2</sub>O", "H2O"),
        ("<!-- not said -->said", "said"),
        ("a < b and c > d", "a < b and c > d"),
        ("I <3 data", "I <3 data"),
        ("never closed <b", "never closed <b"),
        ("one <b in <i>another</i>", "one <b in another"),
        ("Q&amp;A &eacute; &#128512; &nosuch;", "Q&A é 😀 &nosuch;"),
        ("&lt;b&gt;", "<b>"),
        ("nu\0ll", "null"),
    ],
)
def test_html_becomes_one_line_of_plain_text(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_a_reference_to_a_number_without_end_is_one_unknown_character() -> None:
    assert plain(f"a&#{'9' * 5_000};b") == "a\ufffdb"


def test_a_text_full_of_tags_that_never_close_takes_no_time() -> None:
    started = time.process_time()

    plain("<a" * 200_000)

    assert time.process_time() - started < 2


@given(st.text())
def test_plain_text_is_one_line_without_null_or_white_space_around_it(text: str) -> None:
    assert plain(text) == " ".join(plain(text).split())
    assert "\0" not in plain(text)


@given(st.text(alphabet=st.characters(exclude_characters="<&\0")))
def test_what_has_no_markup_only_has_its_white_space_folded(text: str) -> None:
    assert plain(text) == " ".join(text.split())


@given(st.text(), lengths)
def test_a_cut_text_fits_and_cutting_it_again_changes_nothing(text: str, length: int) -> None:
    assert len(cut(text, length)) <= length
    assert cut(cut(text, length), length) == cut(text, length)


@given(st.text(), lengths)
def test_a_cut_text_starts_as_the_whole_did(text: str, length: int) -> None:
    shortened = cut(text, length)

    assert shortened == text or (shortened[-1] == "…" and text.startswith(shortened[:-1]))


def test_no_space_is_left_before_the_ellipsis() -> None:
    assert cut("one two three", 9) == "one two…"


@pytest.mark.parametrize(
    ("content_type", "name"),
    [
        ("program", "program"),
        ("learnerpathway", "learner pathway"),
        ("courserun", "course run"),
        ("podcast", "podcast"),
        ("", "content item without a type"),
    ],
)
def test_content_types_have_readable_names(content_type: str, name: str) -> None:
    assert kind_of(an_item(content_type=content_type)) == name


@given(payloads)
def test_the_order_of_fields_does_not_change_the_hash(payload: dict[str, object]) -> None:
    turned = dict(reversed(payload.items()))

    assert payload_hash(payload) == payload_hash(turned)


@given(payloads, st.data())
def test_any_change_of_a_field_changes_the_hash(payload: dict[str, object], data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(payload)))

    assert payload_hash({**payload, field: [payload[field]]}) != payload_hash(payload)


def test_the_hash_never_changes_from_one_release_to_the_next() -> None:
    canonical = '{"a":"é","b":1}'.encode()

    assert payload_hash({"b": 1, "a": "é"}) == hashlib.sha256(canonical).hexdigest()


def test_a_moment_is_written_in_utc_and_to_the_second_also_in_an_early_year() -> None:
    east = timezone(timedelta(hours=2))

    assert instant(datetime(2027, 1, 5, 11, 30, 0, 999_999, tzinfo=east)) == "2027-01-05T09:30:00Z"
    assert instant(datetime(1, 1, 5, tzinfo=UTC)) == "0001-01-05T00:00:00Z"


def test_a_part_of_a_path_stays_one() -> None:
    assert path_part("a/b+c d%2F:é") == "a%2Fb%2Bc%20d%252F%3A%C3%A9"
