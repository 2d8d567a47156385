"""Lookups before an enrollment: a key in a catalog, and the document of a key. Small and large catalogs alternate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import orjson
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.catalog.models import CatalogQuery
from tests.api.endpoints import address
from tests.benchmarks.results import Figure, WrongAnswerError
from tests.benchmarks.sampling import Group
from tests.factories.catalog import CatalogFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.benchmarks.floor import Floor
    from tests.benchmarks.in_process import Caller
    from tests.benchmarks.results import Results
    from tests.benchmarks.sampling import Sampling
    from tests.benchmarks.seeding import SeededCatalog

LOOKUP: Final = "lookup of a key"
FLOOR: Final = "floor"
CONTAINED: Final = "catalog contains it"
NOT_CONTAINED: Final = "catalog lacks it"
CUSTOMER_CONTAINS: Final = "customer has it"
DOCUMENT: Final = "document"
DOCUMENT_FLOOR: Final = "document, floor"
LOOKUPS: Final = (CONTAINED, NOT_CONTAINED, CUSTOMER_CONTAINS, DOCUMENT)


@dataclass(frozen=True, slots=True)
class _Place:
    """A catalog, and a customer that has no other content."""

    catalog: SeededCatalog
    key: str
    targets: Mapping[str, str]  #: Lookup -> path and query.

    @classmethod
    def make(cls, catalog: SeededCatalog) -> _Place:
        """Return the place, with a key from the middle of the catalog."""
        query = CatalogQuery.objects.get(pk=catalog.query_id)
        slug = f"lookups-{catalog.items}"
        alone = CatalogFactory.create(catalog_query=query, title=slug, customer__slug=slug, customer__name=slug)
        customer = f"/api/v1/enterprise-customer/{alone.enterprise_customer_id}"
        key = sorted(catalog.keys)[catalog.items // 2]
        question = f"contains_content_items/?course_run_ids={quote(key, safe='')}"
        targets = {
            CONTAINED: address(catalog.uuid, question),
            NOT_CONTAINED: address(catalog.uuid, f"{question}-unknown"),
            CUSTOMER_CONTAINS: f"{customer}/{question}",
            DOCUMENT: f"{customer}/content-metadata/{quote(key, safe='+')}/",
        }
        return cls(catalog, key, targets)


def measure_lookups(
    catalogs: Sequence[SeededCatalog], floor: Floor, caller: Caller, sampling: Sampling, results: Results
) -> None:
    """Add statements and timings of each lookup, and of the floor for each."""
    groups = []
    for catalog in catalogs:
        place = _Place.make(catalog)
        _check(place, floor, caller)
        for lookup, target in place.targets.items():
            with CaptureQueriesContext(connection) as statements:
                caller.get(target)
            results.figures.append(Figure(LOOKUP, f"{lookup}, statements", catalog.items, len(statements), ""))
        groups.append(_ways(place, floor, caller))
    for catalog, samples in zip(catalogs, sampling.by_turns(groups), strict=True):
        results.add_timings(samples, what=LOOKUP, items=catalog.items)


def _ways(place: _Place, floor: Floor, caller: Caller) -> Group:
    ways = {lookup: _request(caller, target) for lookup, target in place.targets.items()}
    ways[FLOOR] = lambda: floor.timed_contains(place.catalog.query_id, place.key)
    ways[DOCUMENT_FLOOR] = lambda: floor.timed_documents(place.catalog.query_id, place.key, place.key)
    return Group(ways)


def _request(caller: Caller, target: str) -> Callable[[], float]:
    return lambda: caller.get(target).seconds


def _check(place: _Place, floor: Floor, caller: Caller) -> None:
    for lookup, is_there in ((CONTAINED, True), (NOT_CONTAINED, False), (CUSTOMER_CONTAINS, True)):
        if orjson.loads(caller.get(place.targets[lookup]).body) != {"contains_content_items": is_there}:
            raise WrongAnswerError(f"{lookup}: a catalog of {place.catalog.items:,} items gives the wrong answer")
    document = orjson.loads(caller.get(place.targets[DOCUMENT]).body)
    [(*_, stored)] = floor.documents(place.catalog.query_id, place.key, place.key)
    if not orjson.loads(stored).items() <= document.items():
        raise WrongAnswerError(f"the document of {place.key} is not the stored one")
