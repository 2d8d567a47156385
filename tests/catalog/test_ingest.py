"""Imports: the counts, the stored rows, and no more writes than there are differences."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.catalog.documents import MAX_DOCUMENT_BYTES
from enterprise_catalog.catalog.ingest import writer
from enterprise_catalog.catalog.ingest.writer import ImportReport, import_documents
from enterprise_catalog.catalog.models import CatalogMembership, ContentDocument, ContentMetadata
from tests.catalog.queries import content_of, keys_in
from tests.factories import DAY_ONE, DAY_TWO
from tests.factories.catalog import CatalogFactory, CourseFactory, import_into

if TYPE_CHECKING:
    from enterprise_catalog.catalog.models import EnterpriseCatalog

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return CatalogFactory.create(content=["a", "b", "c"])


def writes(queries: CaptureQueriesContext) -> list[str]:
    """Return the statements that write rows."""
    return [
        sql for query in queries if not (sql := query["sql"]).startswith(("SELECT", "SAVEPOINT", "RELEASE", "BEGIN"))
    ]


def test_it_stores_content_document_and_membership() -> None:
    catalog = CatalogFactory.create()
    course = CourseFactory.build(key="edX+DemoX", title="Demo", course_runs=[])

    report = import_into(catalog, [course], now=DAY_TWO)

    content = content_of("edX+DemoX")
    [member] = CatalogMembership.objects.all()
    assert report == ImportReport(created=1)
    assert (content.content_type, content.title, content.parent_content_key) == ("course", "Demo", "")
    assert content.created_at == content.updated_at == member.updated_at == DAY_TWO
    assert (member.content_id, member.content_key) == (content.pk, "edX+DemoX")
    assert {**json.loads(bytes(content.document.json)), "content_type": "course"} == course


def test_it_counts_what_came_changed_and_stayed(catalog: EnterpriseCatalog) -> None:
    documents = [
        CourseFactory.build(key="a"),
        CourseFactory.build(key="b", title="Changed"),
        CourseFactory.build(key="d"),
        CourseFactory.build(key="e"),
    ]

    report = import_into(catalog, documents)

    assert report == ImportReport(created=2, updated=1, unchanged=1)
    assert keys_in(catalog) == ["a", "b", "c", "d", "e"]


def test_the_same_again_writes_nothing(catalog: EnterpriseCatalog) -> None:
    with CaptureQueriesContext(connection) as queries:
        report = import_into(catalog, ["a", "b", "c"], now=DAY_TWO, replace=True)

    assert report == ImportReport(unchanged=3)
    assert writes(queries) == []


def test_many_batches_of_the_same_again_write_nothing() -> None:
    catalog = CatalogFactory.create(courses=1_200)

    with CaptureQueriesContext(connection) as queries:
        report = import_into(catalog, CourseFactory.numbered(1_200), now=DAY_TWO, replace=True)

    assert report == ImportReport(unchanged=1_200)
    assert writes(queries) == []


def test_the_same_again_reads_no_documents(catalog: EnterpriseCatalog) -> None:
    with CaptureQueriesContext(connection) as queries:
        import_into(catalog, ["a", "b", "c"], now=DAY_TWO)

    assert not [query for query in queries if ContentDocument._meta.db_table in query["sql"]]


def test_white_space_and_the_order_of_fields_are_no_change(catalog: EnterpriseCatalog) -> None:
    query = catalog.catalog_query
    assert query is not None
    lines = [
        json.dumps(dict(reversed(CourseFactory.build(key=key).items())), separators=(" , ", " :  ")).encode()
        for key in "abc"
    ]

    with CaptureQueriesContext(connection) as queries:
        report = import_documents(lambda: query, lines, now=DAY_TWO)

    assert report == ImportReport(unchanged=3)
    assert writes(queries) == []


def test_a_change_writes_only_what_changed(catalog: EnterpriseCatalog) -> None:
    before = {key: content_of(key) for key in "abc"}

    import_into(catalog, ["a", CourseFactory.build(key="b", title="Changed"), "c"], now=DAY_TWO)

    after = {key: content_of(key) for key in "abc"}
    assert [key for key in "abc" if after[key].updated_at != before[key].updated_at] == ["b"]
    assert [key for key in "abc" if after[key].document.json != before[key].document.json] == ["b"]
    assert (after["b"].title, after["b"].created_at) == ("Changed", DAY_ONE)


def test_content_of_another_catalog_joins_as_it_is(catalog: EnterpriseCatalog) -> None:
    other = CatalogFactory.create(customer=catalog.enterprise_customer)

    with CaptureQueriesContext(connection) as queries:
        report = import_into(other, ["b"], now=DAY_TWO)

    assert report == ImportReport(created=1)
    assert [sql for sql in writes(queries) if ContentDocument._meta.db_table in sql] == []
    assert CatalogMembership.objects.get(catalog_query=other.catalog_query_id).updated_at == DAY_ONE


def test_content_of_another_catalog_may_come_and_change_at_once(catalog: EnterpriseCatalog) -> None:
    other = CatalogFactory.create(customer=catalog.enterprise_customer)

    report = import_into(other, [CourseFactory.build(key="b", title="Changed")], now=DAY_TWO)

    assert report == ImportReport(created=1)
    assert set(CatalogMembership.objects.filter(content_key="b").values_list("updated_at", flat=True)) == {DAY_TWO}


def test_replace_makes_the_catalog_hold_exactly_what_comes(catalog: EnterpriseCatalog) -> None:
    report = import_into(catalog, ["b", "d"], replace=True)

    assert report == ImportReport(created=1, unchanged=1, removed=2)
    assert keys_in(catalog) == ["b", "d"]


def test_replace_by_nothing_empties_the_catalog(catalog: EnterpriseCatalog) -> None:
    report = import_into(catalog, [], replace=True)

    assert report == ImportReport(removed=3)
    assert keys_in(catalog) == []


def test_replace_takes_nothing_from_other_catalogs(catalog: EnterpriseCatalog) -> None:
    other = CatalogFactory.create(content=["a", "b"], customer=catalog.enterprise_customer)

    import_into(catalog, [], replace=True)

    assert keys_in(other) == ["a", "b"]
    assert ContentMetadata.objects.count() == 3


def test_what_left_may_come_back(catalog: EnterpriseCatalog) -> None:
    import_into(catalog, ["a", "b"], replace=True)

    report = import_into(catalog, ["c"], now=DAY_TWO)

    assert report == ImportReport(created=1)
    assert keys_in(catalog) == ["a", "b", "c"]


def test_keys_that_differ_in_case_accents_or_a_space_are_different_items() -> None:
    keys = ["A", "a", "a ", "ä", "a\u0308", "\uff41", "😀"]
    catalog = CatalogFactory.create()

    reports = [import_into(catalog, keys) for _ in range(2)]

    assert reports == [ImportReport(created=7), ImportReport(unchanged=7)]
    assert keys_in(catalog) == sorted(keys)


@pytest.mark.parametrize("content_type", ["program", "learnerpathway"])
def test_programs_and_pathways_are_known_by_their_uuid(content_type: str) -> None:
    catalog = CatalogFactory.create()
    document = {"content_type": content_type, "uuid": "6b3c1d0e-0000-4000-8000-000000000001", "title": "Many courses"}

    report = import_into(catalog, [document])

    assert report == ImportReport(created=1)
    assert content_of(document["uuid"]).content_type == content_type


def test_an_item_may_become_another_kind_of_content() -> None:
    catalog = CatalogFactory.create(content=["a"])

    report = import_into(
        catalog, [CourseFactory.build(key="a", content_type="courserun", aggregation_key="courserun:b")], now=DAY_TWO
    )

    content = content_of("a")
    assert report == ImportReport(updated=1)
    assert (content.content_type, content.parent_content_key, content.updated_at) == ("courserun", "b", DAY_TWO)


@pytest.mark.parametrize("count", [0, 1, 500, 501, 1_001])
def test_imports_of_all_sizes_come_through_whole(count: int) -> None:
    catalog = CatalogFactory.create()
    documents = CourseFactory.numbered(count)
    changed = [{**document, "title": "Changed"} for document in documents]

    reports = [import_into(catalog, some, replace=True) for some in (documents, changed, changed, [])]

    assert reports == [
        ImportReport(created=count),
        ImportReport(updated=count),
        ImportReport(unchanged=count),
        ImportReport(removed=count),
    ]


def test_statements_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BATCH_BYTES", 10_000)
    catalog = CatalogFactory.create()

    with CaptureQueriesContext(connection) as queries:
        import_into(catalog, [CourseFactory.build(key=f"k{number}", text="t" * 4_000) for number in range(9)])

    inserts = [sql for sql in writes(queries) if sql.startswith(f"INSERT INTO {quoted(ContentDocument)}")]
    assert len(inserts) == 5
    assert keys_in(catalog) == [f"k{number}" for number in range(9)]


def test_documents_of_the_largest_size_fit_into_a_servers_packet() -> None:
    catalog = CatalogFactory.create()
    # Each quote is stored as two characters, and MariaDB statements must escape both.
    largest = [CourseFactory.build(key=key, text='"' * (MAX_DOCUMENT_BYTES // 2 - 1_000)) for key in "abc"]

    report = import_into(catalog, largest)

    assert report == ImportReport(created=3)


def test_the_number_of_statements_grows_with_batches_not_with_documents() -> None:
    catalog = CatalogFactory.create()
    counts = []

    for number in (10, 400):
        with CaptureQueriesContext(connection) as queries:
            import_into(catalog, CourseFactory.numbered(number, prefix=f"{number}-"))
        counts.append(len(queries))

    assert counts[0] == counts[1]


def quoted(model: Any) -> str:
    return connection.ops.quote_name(model._meta.db_table)
