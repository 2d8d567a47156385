"""``manage.py import_content``, in this process."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from enterprise_catalog.catalog.models import CatalogQuery, ContentMetadata, EnterpriseCatalog, EnterpriseCustomer
from tests.catalog.queries import keys_in, version_of
from tests.factories.catalog import CatalogFactory, CourseFactory

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db

CATALOG: Final = UUID(int=1)
CUSTOMER: Final = UUID(int=2)


def lines(*documents: dict[str, Any]) -> str:
    return "".join(json.dumps(document) + "\n" for document in documents)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A JSON Lines file with two courses."""
    path = tmp_path / "content.jsonl"
    path.write_text(lines(CourseFactory.build(key="a"), CourseFactory.build(key="b")))
    return path


def run(file: Path | str, *options: str, catalog: UUID = CATALOG, customer: UUID = CUSTOMER) -> tuple[str, str]:
    """Run the command and return its standard output and standard error."""
    output, errors = io.StringIO(), io.StringIO()
    arguments = [str(file), f"--catalog-uuid={catalog}", f"--customer-uuid={customer}", *options]
    call_command("import_content", *arguments, stdout=output, stderr=errors)
    return output.getvalue(), errors.getvalue()


def nothing_is_there() -> bool:
    tables = (EnterpriseCustomer, EnterpriseCatalog, CatalogQuery, ContentMetadata)
    return not any(table.objects.exists() for table in tables)


def test_it_ends_with_the_counts_in_one_line_of_json(file: Path) -> None:
    output, errors = run(file)

    assert output == '{"created":2,"updated":0,"unchanged":0,"removed":0,"rejected":0}\n'
    assert errors == ""


def test_it_makes_customer_and_catalog_where_they_are_missing(file: Path) -> None:
    run(file, "--title", "All of it")

    catalog = EnterpriseCatalog.objects.get()
    assert (catalog.pk, catalog.enterprise_customer_id, catalog.title) == (CATALOG, CUSTOMER, "All of it")
    assert keys_in(catalog) == ["a", "b"]


def test_it_names_a_new_customer_and_keeps_an_existing_name(file: Path) -> None:
    run(file, "--customer-name", "Acme University")
    run(file, "--customer-name", "Renamed")

    assert EnterpriseCustomer.objects.get().name == "Acme University"


def test_it_is_safe_to_repeat(file: Path) -> None:
    run(file)
    before = version_of(EnterpriseCatalog.objects.get())

    output, _ = run(file)

    assert json.loads(output) == {"created": 0, "updated": 0, "unchanged": 2, "removed": 0, "rejected": 0}
    assert version_of(EnterpriseCatalog.objects.get()) == before


def test_it_adds_and_changes(file: Path) -> None:
    run(file)
    file.write_text(lines(CourseFactory.build(key="b", title="Changed"), CourseFactory.build(key="c")))

    output, _ = run(file)

    assert json.loads(output) == {"created": 1, "updated": 1, "unchanged": 0, "removed": 0, "rejected": 0}
    assert keys_in(EnterpriseCatalog.objects.get()) == ["a", "b", "c"]


def test_it_replaces_with_the_option(file: Path) -> None:
    run(file)
    file.write_text(lines(CourseFactory.build(key="c")))

    output, _ = run(file, "--replace")

    assert json.loads(output) == {"created": 1, "updated": 0, "unchanged": 0, "removed": 2, "rejected": 0}
    assert keys_in(EnterpriseCatalog.objects.get()) == ["c"]


def test_it_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines(CourseFactory.build(key="ä😀")).encode())))

    output, _ = run("-")

    assert json.loads(output)["created"] == 1
    assert keys_in(EnterpriseCatalog.objects.get()) == ["ä😀"]


@pytest.mark.parametrize("options", [(), ("--on-error", "stop")])
def test_a_bad_line_stops_it_and_nothing_stays_behind(file: Path, options: tuple[str, ...]) -> None:
    file.write_text(lines(CourseFactory.build(key="a")) + "\n[]\n" + lines(CourseFactory.build(key="b")))

    with pytest.raises(CommandError) as error:
        run(file, *options)

    assert str(error.value) == "line 3: must be a JSON object, not a list. Nothing was imported."
    assert error.value.returncode == 1
    assert nothing_is_there()


def test_it_skips_bad_lines_with_the_option_and_names_each(file: Path) -> None:
    file.write_text(
        lines(CourseFactory.build(key="a"))
        + "{\n"
        + lines(CourseFactory.build(key="b"))
        + '{"content_type": "course", "key": 5}\n'
    )

    output, errors = run(file, "--on-error", "skip")

    assert json.loads(output) == {"created": 2, "updated": 0, "unchanged": 0, "removed": 0, "rejected": 2}
    first, second = errors.splitlines()
    assert first.startswith("line 2: not JSON: ")
    assert second == "line 4: key must be a string of 1 to 255 characters, not 5"


def test_it_takes_no_catalog_of_another_customer_and_leaves_nothing_behind(file: Path) -> None:
    catalog = CatalogFactory.create(content=["z"])

    with pytest.raises(CommandError, match="belongs to customer") as error:
        run(file, "--replace", catalog=catalog.pk)

    assert error.value.returncode == 2
    assert EnterpriseCustomer.objects.count() == 1
    assert keys_in(catalog) == ["z"]


def test_it_names_a_file_that_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere\.jsonl: No such file or directory") as error:
        run(tmp_path / "nowhere.jsonl")

    assert error.value.returncode == 2
    assert nothing_is_there()


def test_an_empty_file_makes_an_empty_catalog(file: Path) -> None:
    file.write_text("")

    output, _ = run(file)

    assert json.loads(output) == {"created": 0, "updated": 0, "unchanged": 0, "removed": 0, "rejected": 0}
    assert keys_in(EnterpriseCatalog.objects.get()) == []
