"""After any history, the changes since a version lead from the items of that version to the items of the diff."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Self

import hypothesis
import hypothesis.strategies as st
import pytest
from django.db import transaction
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from enterprise_catalog.catalog.customers import save_catalog, save_customer
from enterprise_catalog.catalog.documents import parse_document
from enterprise_catalog.catalog.ingest.import_file import read_lines
from enterprise_catalog.catalog.ingest.restricted import replace_restricted
from enterprise_catalog.catalog.ingest.writer import replace_members
from enterprise_catalog.catalog.lms.catalogs import delete_catalog
from enterprise_catalog.catalog.models import (
    CatalogMembership,
    CatalogQuery,
    ContentMetadata,
    EnterpriseCatalog,
    EnterpriseCustomer,
)
from enterprise_catalog.catalog.snapshots.cache import SNAPSHOTS
from enterprise_catalog.catalog.versions import log, reads, retention
from enterprise_catalog.catalog.versions.reads import UnknownVersionError
from enterprise_catalog.catalog.versions.state import Version, read_state
from enterprise_catalog.catalog.versions.versioned import versioned
from enterprise_catalog.db.batched_deletes import BatchedDeletes
from tests.catalog.queries import keys_in, served_times, version_of
from tests.catalog.versions.stored_tables import restore, stored_tables
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory, CourseFactory, CustomerFactory, import_into, run_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

    from tests.catalog.versions.stored_tables import Tables

pytestmark = pytest.mark.django_db

STEPS: Final = 15
CATALOGS: Final = 3
#: A log begins again after a change of two of three items, or of four of six.
RESET_ITEMS: Final = 1
RESET_PERCENT: Final = 60

catalogs = st.integers(0, CATALOGS - 1)
#: Key -> a part of the title.
contents = st.dictionaries(st.sampled_from("abcdeÄ"), st.integers(0, 1), min_size=1)
page_sizes = st.integers(1, 6)
slugs = st.sampled_from(["acme", "another"])


@dataclass(slots=True)
class Reader:
    """A caller that has a catalog's items as of a version."""

    catalog: EnterpriseCatalog
    version: str
    items: Mapping[str, datetime]
    may_be_refused: bool  #: True if something happened that a log may not survive.
    must_be_refused: bool = False  #: True if the log has begun again at a later version.


@dataclass(frozen=True, slots=True)
class QueryContent:
    """The content of a query at one moment."""

    version: int
    logged_from: int
    members: Mapping[str, str]  #: Key -> hash of the document.

    @classmethod
    def of_all(cls) -> dict[int, Self]:
        """Return the current content of each query, by its id."""
        members = defaultdict[int, dict[str, str]](dict)
        rows = CatalogMembership.objects.values_list("catalog_query_id", "content_key", "content__content_hash")
        for query_id, key, content_hash in rows:
            members[query_id][key] = content_hash
        queries = CatalogQuery.objects.values_list("pk", "version", "logged_from")
        return {pk: cls(version, logged_from, members[pk]) for pk, version, logged_from in queries}

    def is_reset_since(self, before: QueryContent) -> bool:
        """Return True if a transaction that moves the version is not logged."""
        keys = self.members.keys() | before.members.keys()
        changed = sum(self.members.get(key) != before.members.get(key) for key in keys)
        is_large = changed > RESET_ITEMS and changed > len(self.members) * RESET_PERCENT / 100
        return is_large or before.version == 0


@dataclass(frozen=True, slots=True)
class Poll:
    """A caller that asks which customers changed."""

    cursor: str
    diffs: Mapping[UUID, object]  #: Customer -> the versions and items of its catalogs.


class History(RuleBasedStateMachine):
    """Any sequence of writes, with readers of changes in between."""

    def __init__(self) -> None:
        super().__init__()
        self.now = DAY_ONE
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.readers: list[Reader] = []
        self.polls: list[Poll] = []
        self.backup: Tables | None = None

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)
        SNAPSHOTS.clear()

    @initialize()
    def begin(self) -> None:
        self.catalogs = [CatalogFactory.create(content=["a", "b"]) for _ in range(CATALOGS)]
        self.look()

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def current(self, number: int) -> EnterpriseCatalog:
        return EnterpriseCatalog.objects.with_parts().get(pk=self.catalogs[number].pk)

    def refuse(self, *numbers: int) -> None:
        """Note that the logs of these catalogs, or of all, may end here."""
        changed = {self.catalogs[number].pk for number in numbers or range(CATALOGS)}
        for reader in self.readers:
            reader.may_be_refused |= reader.catalog.pk in changed

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Note the logs that begin again, because the block gives a query its first or very different content."""
        before = QueryContent.of_all()
        yield
        for query_id, after in QueryContent.of_all().items():
            if after.version == before[query_id].version:
                continue
            is_reset = after.is_reset_since(before[query_id])
            assert (after.logged_from == after.version) == is_reset
            for reader in self.readers:
                if is_reset and Version.parse(reader.version).query_id == query_id:
                    reader.may_be_refused = reader.must_be_refused = True

    @rule(number=catalogs, content=contents, replace=st.booleans())
    def import_content(self, number: int, content: dict[str, int], *, replace: bool) -> None:
        catalog = self.current(number)
        if catalog.catalog_query is None:
            return
        documents = [CourseFactory.build(key=key, title=f"{key} {part}") for key, part in content.items()]
        with self.writing():
            import_into(catalog, documents, now=self.tick(), replace=replace)

    @rule(number=catalogs, content=contents, kept=st.sets(st.sampled_from("abcde")))
    def refresh(self, number: int, content: dict[str, int], kept: set[str]) -> None:
        """Replace the members, of which some are stored content, and the restricted runs, as a refresh does."""
        query = self.current(number).catalog_query
        if query is None:
            return
        with self.writing(), tempfile.TemporaryFile() as file, versioned(self.tick()):
            documents = [CourseFactory.build(key=key, title=f"{key} {part}") for key, part in content.items()]
            found = read_lines([json.dumps(document).encode() for document in documents], file, None)
            stored = ContentMetadata.objects.with_keys(kept - content.keys()).values_list("content_key", flat=True)
            found.kept_keys = {*stored}
            replace_members(query, found, now=self.now)
            runs = [parse_document(json.dumps(run_document(f"run {sorted(content)}", "a")).encode())]
            replace_restricted(query, courses=[], runs=runs, now=self.now)

    @rule(number=catalogs, slug=slugs)
    def rename_customer(self, number: int, slug: str) -> None:
        customer = EnterpriseCustomer.objects.get(pk=self.current(number).enterprise_customer_id)
        if customer.slug != slug:
            self.refuse()
        customer.slug = slug
        save_customer(customer, now=self.tick())

    @rule(number=catalogs)
    def rename(self, number: int) -> None:
        """Edit the catalog, but nothing that its items depend on: no log ends."""
        catalog = self.current(number)
        catalog.title += "'"
        save_catalog(catalog, now=self.tick())

    @rule(number=catalogs, other=catalogs)
    def move(self, number: int, other: int) -> None:
        """Give the catalog the customer and the query of another catalog."""
        catalog, model = self.current(number), self.current(other)
        catalog.enterprise_customer, catalog.catalog_query = model.enterprise_customer, model.catalog_query
        save_catalog(catalog, now=self.tick())
        self.refuse(number)

    @rule(number=catalogs)
    def replace_query_and_customer(self, number: int) -> None:
        """Give the catalog a new query and a new customer."""
        catalog = self.current(number)
        catalog.enterprise_customer = CustomerFactory.create(now=self.tick())
        catalog.catalog_query = CatalogQuery.objects.create(title="New")
        catalog.deleted_at = None
        save_catalog(catalog, now=self.tick())
        self.refuse(number)

    @rule(number=catalogs)
    def delete(self, number: int) -> None:
        delete_catalog(self.catalogs[number].pk, now=self.tick())
        self.refuse(number)

    @rule(minutes=st.integers(0, 10))
    def remove_old_changes(self, minutes: int) -> None:
        retention.remove_old(BatchedDeletes(seconds=60), before=self.now - timedelta(minutes=minutes))
        self.refuse()
        self.polls.clear()

    @rule()
    def back_up(self) -> None:
        self.backup = stored_tables()

    @rule(number=catalogs, content=contents, later=contents)
    def lose_and_restore(self, number: int, content: dict[str, int], later: dict[str, int]) -> None:
        """Restore the last backup, so that readers have versions that were lost; then write another version."""
        backup = self.backup or stored_tables()
        self.import_content(number, content, replace=True)
        self.look()
        restore(backup)
        self.refuse()
        for reader in self.readers:
            reader.must_be_refused = False
        self.polls.clear()
        self.import_content(number, later, replace=False)

    @rule()
    def look(self) -> None:
        """Read all catalogs, as a full run does, and the cursor of all customers."""
        for each in range(CATALOGS):
            catalog = self.current(each)
            is_unfilled = catalog.catalog_query is not None and not catalog.catalog_query.version
            items = served_times(catalog)
            self.readers.append(Reader(catalog, version_of(catalog), items, may_be_refused=is_unfilled))
        del self.readers[: -3 * CATALOGS]
        self.polls.append(Poll(reads.read_cursor(), self.diffs()))

    def diffs(self) -> dict[UUID, object]:
        found: dict[UUID, list[object]] = {}
        for each in range(CATALOGS):
            catalog = self.current(each)
            state = [str(catalog.pk), *sorted(served_times(catalog).items())]
            found.setdefault(catalog.enterprise_customer_id, []).append(state)
        return {customer: sorted(map(repr, states)) for customer, states in found.items()}

    @rule(data=st.data(), size=page_sizes)
    def ask_for_changes(self, data: st.DataObject, size: int) -> None:
        """Apply the changes to a reader's items, page by page; catalogs and content may change between two pages."""
        if not self.readers:
            return
        reader = data.draw(st.sampled_from(self.readers))
        items, since, after = dict(reader.items), Version.parse(reader.version), None
        while True:
            try:
                page = reads.read_changes(read_state(reader.catalog.pk), since, after=after, size=size)
            except UnknownVersionError:
                assert reader.may_be_refused
                self.readers.remove(reader)
                return
            self.apply(page, items)
            if page.version is not None:
                break
            assert page.end is not None
            after = page.end
            match data.draw(st.sampled_from([None, None, None, "import", "import", "rename", "customer", "move"])):
                case "import":
                    self.import_content(data.draw(catalogs), data.draw(contents), replace=data.draw(st.booleans()))
                case "rename":
                    self.rename(data.draw(catalogs))
                case "customer":
                    self.rename_customer(data.draw(catalogs), data.draw(slugs))
                case "move":
                    self.move(data.draw(catalogs), data.draw(catalogs))
        assert not reader.must_be_refused
        catalog = EnterpriseCatalog.objects.get(pk=reader.catalog.pk)
        assert (str(page.version), items) == (version_of(catalog), served_times(catalog))
        assert sorted(items) == keys_in(catalog)
        reader.version, reader.items = str(page.version), items
        reader.may_be_refused = False

    def apply(self, page: reads.ChangesPage, items: dict[str, datetime]) -> None:
        created, changed = (
            {key: datetime.fromisoformat(at) for key, at in each} for each in (page.created, page.changed)
        )
        assert not created.keys() & items.keys()
        assert changed.keys() <= items.keys()
        assert {*page.removed} <= items.keys()
        assert len({*created, *changed, *page.removed}) == len(created) + len(changed) + len(page.removed)
        items.update(created | changed)
        for key in page.removed:
            del items[key]

    @rule(data=st.data())
    def ask_for_customers(self, data: st.DataObject) -> None:
        if not self.polls:
            return
        poll = data.draw(st.sampled_from(self.polls))
        customers, cursor = reads.read_changed_customers(poll.cursor)
        now = self.diffs()
        changed = {each for each in {*poll.diffs, *now} if poll.diffs.get(each) != now.get(each)}
        assert changed <= {*customers}
        assert reads.read_changed_customers(cursor) == ([], cursor)


def test_changes_lead_to_the_diff_after_any_history(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS_PER_TRANSACTION", 2)
    monkeypatch.setattr(log, "RESET_ITEMS", RESET_ITEMS)
    monkeypatch.setattr(log, "RESET_PERCENT", RESET_PERCENT)

    run_state_machine_as_test(
        History, settings=hypothesis.settings(max_examples=20, stateful_step_count=STEPS, deadline=None)
    )
