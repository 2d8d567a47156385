"""Safeguards of ``import_content --replace``: mistakes must not empty a catalog."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.catalog.documents import DocumentError, parse_document
from enterprise_catalog.catalog.ingest.bad_lines import keys_on
from tests.catalog.queries import keys_in, version_of
from tests.factories.catalog import CatalogFactory, CourseFactory

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from enterprise_catalog.catalog.models import EnterpriseCatalog

ERROR_PAGE: Final = "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>Bad Gateway</body>\n</html>\n"
SKIP: Final = ("--on-error", "skip")

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    """A catalog of 200 courses."""
    return CatalogFactory.create(courses=200)


def text_of(documents: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(document) + "\n" for document in documents)


def replace(catalog: EnterpriseCatalog, content: str | bytes, *options: str, folder: Path) -> dict[str, int]:
    """Replace the catalog's content with a file of ``content``; return the counts."""
    file, output = folder / "content.jsonl", io.StringIO()
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    named = (f"--catalog-uuid={catalog.pk}", f"--customer-uuid={catalog.enterprise_customer_id}")
    call_command("import_content", str(file), "--replace", *named, *options, stdout=output, stderr=io.StringIO())
    counts: dict[str, int] = json.loads(output.getvalue())
    return counts


def assert_refused(catalog: EnterpriseCatalog, content: str | bytes, *options: str, folder: Path, reason: str) -> None:
    """Check that the import exits with code 1 and ``reason``, and changes nothing."""
    before = keys_in(catalog), version_of(catalog)

    with pytest.raises(CommandError) as raised:
        replace(catalog, content, *options, folder=folder)

    assert reason in str(raised.value)
    assert raised.value.returncode == 1
    assert (keys_in(catalog), version_of(catalog)) == before


# --- shrinking ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), SKIP])
def test_an_empty_file_does_not_empty_a_catalog(
    catalog: EnterpriseCatalog, tmp_path: Path, options: tuple[str, ...]
) -> None:
    reason = (
        "The replacement would remove 200 of the catalog's 200 items (100 %). Nothing was imported. "
        "Check the file. To remove the items anyway, add --allow-shrink."
    )

    assert_refused(catalog, "", *options, folder=tmp_path, reason=reason)


def test_an_empty_file_does_not_empty_a_small_catalog_either(tmp_path: Path) -> None:
    catalog = CatalogFactory.create(content=["a"])

    assert_refused(catalog, "\n", folder=tmp_path, reason="would remove 1 of the catalog's 1 items")


def test_an_error_page_does_not_empty_a_catalog(catalog: EnterpriseCatalog, tmp_path: Path) -> None:
    assert_refused(catalog, ERROR_PAGE, *SKIP, folder=tmp_path, reason="4 of 4 lines are bad.")


def test_a_file_that_ends_early_does_not_shrink_a_catalog(catalog: EnterpriseCatalog, tmp_path: Path) -> None:
    reason = "would remove 195 of the catalog's 200 items (98 %)"

    assert_refused(catalog, text_of(CourseFactory.numbered(5)), folder=tmp_path, reason=reason)


def test_a_refused_replacement_adds_and_changes_nothing(catalog: EnterpriseCatalog, tmp_path: Path) -> None:
    documents = [CourseFactory.build(key="New"), CourseFactory.build(key="Northwind+C000000", title="Changed")]

    assert_refused(catalog, text_of(documents), folder=tmp_path, reason="would remove 199 of")

    assert catalog.catalog_query is not None
    assert not catalog.catalog_query.memberships.filter(content__title="Changed").exists()


@pytest.mark.parametrize("content", ["", text_of(CourseFactory.numbered(5))])
def test_an_allowed_replacement_removes_any_number_of_items(
    catalog: EnterpriseCatalog, tmp_path: Path, content: str
) -> None:
    counts = replace(catalog, content, "--allow-shrink", folder=tmp_path)

    assert counts["removed"] == 200 - content.count("\n")
    assert len(keys_in(catalog)) == content.count("\n")


@pytest.mark.parametrize(
    ("before", "after", "is_refused"),
    [(200, 160, False), (200, 159, True), (12, 2, False), (12, 1, True), (2, 1, False), (50, 40, False)],
)
def test_more_than_20_percent_and_more_than_10_items_are_refused(
    tmp_path: Path, before: int, after: int, *, is_refused: bool
) -> None:
    catalog = CatalogFactory.create(courses=before)

    if is_refused:
        assert_refused(
            catalog, text_of(CourseFactory.numbered(after)), folder=tmp_path, reason=f"would remove {before - after} of"
        )
    else:
        assert replace(catalog, text_of(CourseFactory.numbered(after)), folder=tmp_path)["removed"] == before - after


def test_allow_shrink_without_replace_is_wrong_usage(catalog: EnterpriseCatalog) -> None:
    named = (f"--catalog-uuid={catalog.pk}", f"--customer-uuid={catalog.enterprise_customer_id}")

    with pytest.raises(CommandError, match="--allow-shrink requires --replace") as raised:
        call_command("import_content", "-", *named, "--allow-shrink")

    assert raised.value.returncode == 2


# --- bad lines ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad_line",
    [
        '{"content_type": "course", "key": "Northwind+C000007", "x": ' + "[" * 300 + "]" * 300 + "}",
        '{"content_type": "video", "key": "Northwind+C000007"}',
        '{"key": "Northwind+C000007"}',
        '{"content_type": "course", "key": "Northwind+C000007", "weeks": NaN}',
        '{"content_type": "course", "key": "Northwind+C000007", "title": "a "quoted" word"}',
        '{"content_type": "course", "owners": [{"key": "Northwind"}], "key": "Northwind\\u002bC000007", "title": "cut',
        '{"weeks": 5, "key" : "Northwind+C000007", }',
        '{"content_type": "course", "key": "Northwind+C000007"} {"content_type": "course", "key": "New"}',
        '{"content_type": "course", "key": "Northwind+C000006", "title": "Another title"}',
    ],
)
def test_a_bad_line_never_removes_the_item_whose_key_it_carries(
    catalog: EnterpriseCatalog, tmp_path: Path, bad_line: str
) -> None:
    others = [course for course in CourseFactory.numbered(200) if course["key"] != "Northwind+C000007"]
    expected = keys_in(catalog)
    if "C000007" not in bad_line.replace("\\u002b", "+"):
        others = CourseFactory.numbered(200)

    counts = replace(catalog, text_of(others) + bad_line + "\n", *SKIP, folder=tmp_path)

    assert (counts["removed"], counts["rejected"]) == (0, 1)
    assert keys_in(catalog) == expected


@pytest.mark.parametrize(
    "bad_line",
    [
        b"garbage",
        b"[]",
        b"5",
        b'{"content_type": "course", "uuid": "c7"}',
        b'{"content_type": "course", "key": 7}',
        b'{"content_type": "course", "owners": [{"key": "Northwind+C000000"}], "title": "cut',
        b'{"content_type": "course", "key": "Northwind\xff", "title": "cut"}',
    ],
)
def test_nothing_is_removed_if_a_bad_line_has_no_key(
    catalog: EnterpriseCatalog, tmp_path: Path, bad_line: bytes
) -> None:
    content = text_of(CourseFactory.numbered(199)).encode() + bad_line + b"\n"
    reason = "Line 200 has no readable key, so it may contain the item that would be removed. Nothing was imported."

    assert_refused(catalog, content, *SKIP, folder=tmp_path, reason=reason)


def test_a_bad_line_without_a_key_is_skipped_where_nothing_leaves(catalog: EnterpriseCatalog, tmp_path: Path) -> None:
    counts = replace(catalog, text_of(CourseFactory.numbered(201)) + "garbage\n", *SKIP, folder=tmp_path)

    assert counts == {"created": 1, "updated": 0, "unchanged": 200, "removed": 0, "rejected": 1}


@pytest.mark.parametrize(("bad", "is_refused"), [(2, False), (3, True)])
def test_more_than_1_percent_bad_lines_replace_nothing(
    catalog: EnterpriseCatalog, tmp_path: Path, bad: int, *, is_refused: bool
) -> None:
    content = text_of(CourseFactory.numbered(200)) + '{"key": "x"}\n' * bad

    if is_refused:
        reason = "3 of 203 lines are bad. A file with more than 1 % bad lines cannot replace a catalog."
        assert_refused(catalog, content, *SKIP, "--allow-shrink", folder=tmp_path, reason=reason)
    else:
        assert replace(catalog, content, *SKIP, folder=tmp_path)["rejected"] == bad


@pytest.mark.parametrize("options", [(), SKIP, (*SKIP, "--allow-shrink")])
def test_a_file_whose_last_line_is_cut_is_an_error(
    catalog: EnterpriseCatalog, tmp_path: Path, options: tuple[str, ...]
) -> None:
    content = text_of(CourseFactory.numbered(200))[:-30]

    reason = "The file ends within this line and is probably incomplete. Nothing was imported."
    assert_refused(catalog, content, *options, folder=tmp_path, reason=reason)


def test_a_last_line_without_a_line_break_is_accepted(catalog: EnterpriseCatalog, tmp_path: Path) -> None:
    assert replace(catalog, text_of(CourseFactory.numbered(200)).rstrip(), folder=tmp_path)["unchanged"] == 200


def test_a_bad_last_line_that_is_complete_json_is_skipped(catalog: EnterpriseCatalog, tmp_path: Path) -> None:
    assert replace(catalog, text_of(CourseFactory.numbered(200)) + "[]", *SKIP, folder=tmp_path)["rejected"] == 1


# --- keys of bad lines ----------------------------------------------------------------------------------------------

DOCUMENTS = st.dictionaries(
    st.sampled_from(["key", "uuid", "content_type", "title", "x"]) | st.text(max_size=4),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=6) | st.sampled_from(["course", "program", '"', "\\", "{", "]"]),
        lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=3), values, max_size=3),
        max_leaves=6,
    ),
)


@given(document=DOCUMENTS, cut=st.integers(0, 200), garbage=st.sampled_from(["", ",", "x", "}", '{"a": 1}']))
def test_a_key_that_comes_before_the_damage_is_found(document: dict[str, Any], cut: int, garbage: str) -> None:
    whole = json.dumps({"content_type": "course", "key": "edX+Demo", **document, "y": 1})
    start = whole.index('"y"') if '"y"' in whole else len(whole)
    line = (whole[: max(start, cut)] + garbage).encode()
    known = {**document, "content_type": "course", "key": "edX+Demo"}
    if {"key", "content_type"} & document.keys():
        return

    assert known["key"] in keys_on(line)


@given(line=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_line_either_has_a_document_or_keys_or_none(line: bytes) -> None:
    try:
        document = parse_document(line)
    except DocumentError:
        assert all(keys_on(line))
    else:
        assert document.content_key in keys_on(line)


@pytest.mark.parametrize("line", [b"[" * 100_000, b'{"key": ' * 100_000, b'"' * 100_001, b"\\" * 100_000])
def test_a_hostile_line_has_no_key(line: bytes) -> None:
    assert keys_on(line) == frozenset()
