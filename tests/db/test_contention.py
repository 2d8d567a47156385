"""Transaction retries: the errors that are retried, the time limit, and the result."""

from __future__ import annotations

import io
import json
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.messages import get_messages
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.db.models import F

from enterprise_catalog.catalog.customers import save_customer
from enterprise_catalog.catalog.models import CatalogMembership, CatalogQuery, ContentMetadata, EnterpriseCatalog
from enterprise_catalog.catalog.versions import versioned
from enterprise_catalog.db import contention
from enterprise_catalog.db.contention import ContentionError, retry
from tests.catalog.queries import keys_in
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, CustomerFactory, import_into

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)

IMPORTERS, IMPORTS = 10, 10
DUPLICATE = IntegrityError(1062, "Duplicate entry")


def locked(code: int) -> OperationalError:
    """Return a Django error caused by an SQLite error with this result code."""
    error = OperationalError("database is locked")
    cause = sqlite3.OperationalError("database is locked")
    cause.sqlite_errorcode = code
    error.__cause__ = cause
    return error


def failing(*errors: DatabaseError) -> Callable[[], int]:
    """Return a transaction that raises each error once, and then returns the number of attempts."""
    left, attempts = list(errors), [0]

    def transact() -> int:
        attempts[0] += 1
        if left:
            raise left.pop(0)
        return attempts[0]

    return transact


@pytest.mark.parametrize(
    "error",
    [
        DUPLICATE,
        OperationalError(1213, "Deadlock found"),
        OperationalError(1205, "Lock wait timeout exceeded"),
        OperationalError(1020, "Record has changed since last read"),
        locked(sqlite3.SQLITE_BUSY),
        locked(sqlite3.SQLITE_BUSY_SNAPSHOT),
        locked(sqlite3.SQLITE_LOCKED),
    ],
)
def test_a_transaction_that_another_one_undid_is_run_again(error: DatabaseError) -> None:
    assert retry(failing(*[error] * 3)) == 4


@pytest.mark.parametrize(
    "error", [OperationalError(2006, "Server has gone away"), IntegrityError(1452, "foreign key"), locked(11)]
)
def test_other_errors_are_raised_at_once(error: DatabaseError) -> None:
    transact = failing(error)

    with pytest.raises(DatabaseError) as raised:
        retry(transact)

    assert raised.value is error
    assert transact() == 2


def test_retries_end_after_the_stated_time() -> None:
    begin = time.monotonic()

    with pytest.raises(ContentionError, match=r"kept the database busy for 0\.4 seconds"):
        retry(failing(*[DUPLICATE] * 100), seconds=0.4)

    assert time.monotonic() - begin > 0.1


def test_a_transaction_inside_another_one_is_not_retried() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        retry(failing(DUPLICATE))


# --- imports --------------------------------------------------------------------------------------------------------


def import_file(catalog: EnterpriseCatalog, file: Path) -> dict[str, Any]:
    """Run ``import_content --replace`` and return its counts."""
    named = (f"--catalog-uuid={catalog.pk}", f"--customer-uuid={catalog.enterprise_customer_id}")
    output = io.StringIO()
    call_command("import_content", str(file), "--replace", "--allow-shrink", *named, stdout=output)
    counts: dict[str, Any] = json.loads(output.getvalue())
    return counts


def test_ten_importers_of_overlapping_files_make_100_imports_and_none_fails(tmp_path: Path) -> None:
    customer = CustomerFactory.create()
    catalogs = [CatalogFactory.create(customer=customer) for _ in range(5)]
    errors: list[BaseException] = []
    counts: list[dict[str, Any]] = []

    def keys_of(importer: int, number: int) -> list[str]:
        return [f"edX+C{(importer * 3 + number * 5 + each) % 40:02}" for each in range(15)]

    def run(importer: int) -> None:
        file = tmp_path / f"{importer}.jsonl"
        try:
            for number in range(IMPORTS):
                documents = [
                    CourseFactory.build(key=key, title=f"{importer}, {number}") for key in keys_of(importer, number)
                ]
                file.write_text("".join(json.dumps(document) + "\n" for document in reversed(documents)))
                counts.append(import_file(catalogs[(importer + number) % len(catalogs)], file))
        except BaseException as error:  # noqa: BLE001  (checked by the test below)
            errors.append(error)
        finally:
            connection.close()

    importers = [threading.Thread(target=run, args=[importer]) for importer in range(IMPORTERS)]
    for each in importers:
        each.start()
    for each in importers:
        each.join()

    assert errors == []
    assert len(counts) == IMPORTERS * IMPORTS
    possible = {tuple(sorted(keys_of(importer, number))) for importer in range(10) for number in range(10)}
    assert {tuple(keys_in(catalog)) for catalog in catalogs} <= possible
    assert not CatalogMembership.objects.exclude(updated_at=F("content__updated_at")).exists()


def test_replacements_of_one_catalog_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = CatalogFactory.create()
    import_into(catalog, ["K1", "K2"])
    move_versions, is_under_way = versioned.move_versions, threading.Event()

    def replace(*keys: str) -> None:
        import_into(catalog, keys, replace=True)
        connection.close()

    def pause_the_first(*arguments: Any) -> None:
        if not is_under_way.is_set():
            is_under_way.set()
            time.sleep(0.5)
        move_versions(*arguments)

    monkeypatch.setattr(versioned, "move_versions", pause_the_first)
    first = threading.Thread(target=replace, args=["K2", "K3"])
    first.start()
    is_under_way.wait()
    second = threading.Thread(target=replace, args=["K1", "K4"])
    second.start()
    first.join()
    second.join()

    assert keys_in(catalog) == ["K1", "K4"]


@pytest.fixture
def blocked() -> Iterator[EnterpriseCatalog]:
    """A catalog of one item, locked by another transaction. This connection waits at most 1 s for the lock."""
    catalog = CatalogFactory.create(content=["a"])
    is_locked, may_end = threading.Event(), threading.Event()

    def block() -> None:
        with transaction.atomic():
            list(ContentMetadata.objects.select_for_update())
            list(CatalogQuery.objects.select_for_update())
            is_locked.set()
            may_end.wait(60)
        connection.close()

    thread = threading.Thread(target=block)
    thread.start()
    is_locked.wait(60)
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 200" if is_sqlite else "SET SESSION innodb_lock_wait_timeout = 1")
    yield catalog
    may_end.set()
    thread.join()
    connection.close()


def test_an_import_that_cannot_get_through_ends_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked: EnterpriseCatalog
) -> None:
    file = tmp_path / "content.jsonl"
    file.write_text(json.dumps(CourseFactory.build(key="a", title="New")) + "\n")
    monkeypatch.setattr(contention, "RETRY_SECONDS", 0.5)

    with pytest.raises(CommandError) as raised:
        import_file(blocked, file)

    assert raised.value.returncode == 1
    sentence = "Other transactions kept the database busy for 0.5 seconds. Nothing was imported."
    assert str(raised.value) == f"{sentence} Import the file again later."


def test_a_page_that_cannot_be_saved_in_time_suggests_to_save_again(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, blocked: EnterpriseCatalog
) -> None:
    monkeypatch.setattr("enterprise_catalog.catalog.admin.REQUEST_SECONDS", 0.5)
    page = f"/admin/catalog/enterprisecatalog/{blocked.pk}/change/"
    fields = {
        "title": "New",
        "enterprise_customer": str(blocked.enterprise_customer_id),
        "catalog_query": str(blocked.catalog_query_id),
    }

    response = admin_client.post(page, fields, follow=False)

    assert (response.status_code, response["Location"]) == (302, page)
    [message] = get_messages(response.wsgi_request)
    assert str(message) == (
        "Other transactions kept the database busy for 0.5 seconds. Nothing was saved. Please try again."
    )


def test_a_customer_that_is_saved_while_its_catalogs_are_imported_is_saved() -> None:
    customer = CustomerFactory.create()
    catalogs = [CatalogFactory.create(courses=20, customer=customer) for _ in range(2)]
    errors: list[BaseException] = []

    def run(catalog: EnterpriseCatalog) -> None:
        try:
            for number in range(10):
                documents = [
                    CourseFactory.build(key=f"Northwind+C{each:06}", title=f"{catalog.pk} {number}")
                    for each in range(20)
                ]
                import_into(catalog, documents)
        except BaseException as error:  # noqa: BLE001  (checked by the test below)
            errors.append(error)
        finally:
            connection.close()

    importers = [threading.Thread(target=run, args=[catalog]) for catalog in catalogs]
    for each in importers:
        each.start()
    for number in range(10):
        customer.slug = f"slug-{number}"
        save_customer(customer, now=DAY_ONE)
    for each in importers:
        each.join()

    assert errors == []
    stored = EnterpriseCatalog.objects.get(pk=catalogs[0].pk)
    assert "https://learn.example.org/slug-9" in stored.enrollment_urls
