"""Content documents: validation and equality."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.catalog.documents import (
    MAX_DOCUMENT_BYTES,
    SERVED_FIELDS,
    Document,
    DocumentError,
    parse_document,
    served_document,
)
from tests.factories.catalog import CourseFactory

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda children: st.lists(children) | st.dictionaries(texts, children),
    max_leaves=20,
)
fields = st.dictionaries(texts, values, max_size=5).map(lambda some: {**some, **CourseFactory.build()})


def parsed(document: dict[str, Any], **how: Any) -> Document:
    return parse_document(json.dumps(document, **how).encode())


def shuffled(value: Any) -> Any:
    """Return ``value`` with the fields of all its objects in reverse order."""
    if isinstance(value, dict):
        return {name: shuffled(value[name]) for name in reversed(value)}
    return [shuffled(element) for element in value] if isinstance(value, list) else value


@given(fields)
def test_white_space_and_the_order_of_fields_do_not_count(document: dict[str, Any]) -> None:
    plain = parsed(document)

    assert parsed(shuffled(document), indent=4) == plain
    assert parsed(document, separators=(",", ":"), ensure_ascii=False) == plain


@given(fields)
def test_the_canonical_form_has_the_content_of_the_source(document: dict[str, Any]) -> None:
    canonical = json.loads(parsed(document).json)

    assert canonical == {name: value for name, value in document.items() if name not in SERVED_FIELDS}


@given(fields, texts, values)
def test_each_change_of_a_field_changes_the_hash(document: dict[str, Any], name: str, value: Any) -> None:
    served = {"content_key", "content_type", "content_last_modified", "enrollment_url", "key"}
    changed = {**document, name: value}

    is_same = orjson.dumps(changed, option=orjson.OPT_SORT_KEYS) == orjson.dumps(document, option=orjson.OPT_SORT_KEYS)

    if name not in served:
        assert (parsed(changed).content_hash == parsed(document).content_hash) == is_same


@pytest.mark.parametrize("name", ["content_key", "content_last_modified", "enrollment_url"])
def test_what_serving_adds_does_not_count(name: str) -> None:
    document = CourseFactory.build()

    assert parsed({**document, name: "2026-01-01"}) == parsed(document)


def test_the_kind_of_content_counts() -> None:
    document = CourseFactory.build()

    assert parsed({**document, "content_type": "courserun"}).content_hash != parsed(document).content_hash


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"content_type": "course", "key": "edX+DemoX", "uuid": "u"}, "edX+DemoX"),
        ({"content_type": "courserun", "key": "course-v1:edX+DemoX+1", "uuid": "u"}, "course-v1:edX+DemoX+1"),
        ({"content_type": "program", "uuid": "u", "key": "k"}, "u"),
        ({"content_type": "learnerpathway", "uuid": "u", "key": None}, "u"),
        ({"content_type": "course", "key": " a "}, " a "),
        ({"content_type": "course", "key": "😀" * 255}, "😀" * 255),
    ],
)
def test_each_kind_of_content_has_its_key(document: dict[str, Any], key: str) -> None:
    assert parsed(document).content_key == key


@pytest.mark.parametrize(
    ("aggregation_key", "parent"),
    [("courserun:edX+DemoX", "edX+DemoX"), (None, ""), (5, ""), ("", ""), ("courserun:" + "k" * 300, "k" * 255)],
)
def test_a_course_run_refers_to_its_course(aggregation_key: object, parent: str) -> None:
    run = {"content_type": "courserun", "key": "course-v1:edX+DemoX+1", "aggregation_key": aggregation_key}

    assert parsed(run).parent_content_key == parent


def test_only_a_run_has_a_course() -> None:
    assert parsed(CourseFactory.build(aggregation_key="course:edX+DemoX")).parent_content_key == ""


@pytest.mark.parametrize(
    ("title", "kept"), [("A title", "A title"), (None, ""), (5, ""), (["a"], ""), ("😀" * 300, "😀" * 255)]
)
def test_the_display_title_is_a_short_text(title: object, kept: str) -> None:
    document = parsed(CourseFactory.build(title=title))

    assert document.title == kept
    assert json.loads(document.json)["title"] == title


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON: "),
        (b'{"a": 1} {"b": 2}', "not JSON: "),
        (b'{"key": "\\ud800"}', "not JSON: "),
        (b"\xff", "not JSON: "),
        (b"[1]", "must be a JSON object, not a list"),
        (b"null", "must be a JSON object, not null"),
        (b"5", "must be a JSON object, not a number"),
        (b"true", "must be a JSON object, not a boolean"),
        (b'"text"', "must be a JSON object, not a string"),
        (b"{}", "content_type must be one of course, courserun, program, learnerpathway, not None"),
        (b'{"content_type": "video"}', "content_type must be one of"),
        (b'{"content_type": ["course"]}', "content_type must be one of"),
        (b'{"content_type": "course"}', "key must be a string of 1 to 255 characters, not None"),
        (b'{"content_type": "course", "key": ""}', "key must be a string of 1 to 255 characters, not ''"),
        (b'{"content_type": "course", "key": 5}', "key must be a string of 1 to 255 characters, not 5"),
        (b'{"content_type": "program", "key": "k"}', "uuid must be a string of 1 to 255 characters"),
        (b'{"content_type": "course", "key": "' + b"k" * 256 + b'"}', "key has 256 characters; at most 255"),
        (b'{"content_type": "course", "key": "k", "a": ' + b"[" * 300 + b"]" * 300 + b"}", "k: nested too deeply"),
        (b'{"a": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "not JSON: "),
    ],
)
def test_problems_of_a_document_are_named(line: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as error:
        parse_document(line)

    assert str(error.value).startswith(reason)
    assert len(str(error.value)) < 200


def test_a_document_has_a_largest_size() -> None:
    overhead = len(parsed(CourseFactory.build(key="edX+DemoX", text="")).json)
    largest = CourseFactory.build(key="edX+DemoX", text="t" * (MAX_DOCUMENT_BYTES - overhead))

    assert len(parsed(largest).json) == MAX_DOCUMENT_BYTES
    with pytest.raises(DocumentError, match=r"^edX\+DemoX: 4,194,305 bytes; at most 4,194,304 are allowed$"):
        parsed({**largest, "text": largest["text"] + "t"})


@pytest.mark.parametrize("stored", [b"{}", b'{"key":"edX+DemoX"}'])
def test_the_served_document_is_one_json_object(stored: bytes) -> None:
    served = served_document(
        stored,
        content_key="edX+DemoX",
        content_type="course",
        updated_at="2026-03-01T12:00:00.123456Z",
        enrollment_url="https://learn.example.org/acme/course/edX+DemoX",
    )

    assert json.loads(b"".join(served)) == {
        **json.loads(stored),
        "content_key": "edX+DemoX",
        "content_type": "course",
        "content_last_modified": "2026-03-01T12:00:00.123456Z",
        "enrollment_url": "https://learn.example.org/acme/course/edX+DemoX",
    }
