"""Pages of documents: the first and last page of a catalog, and the bare driver reading the same documents."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

import orjson

from tests.api.endpoints import address
from tests.benchmarks.results import WrongAnswerError
from tests.benchmarks.sampling import Group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.floor import Floor
    from tests.benchmarks.in_process import Caller
    from tests.benchmarks.results import Results
    from tests.benchmarks.sampling import Sampling
    from tests.benchmarks.seeding import SeededCatalog

PAGE_SIZE: Final = 100


def measure_pages(catalog: SeededCatalog, floor: Floor, caller: Caller, sampling: Sampling, results: Results) -> None:
    """Add the timings of the first and last full page, and of the floor for each."""
    keys = sorted(catalog.keys)
    size = min(PAGE_SIZE, len(keys) // 2)
    first, last = keys[:size], keys[-size:]
    path = address(catalog.uuid, "content-metadata/")
    first_page = f"{path}?page_size={size}"
    last_page = f"{path}?page_size={size}&cursor={_cursor(keys[-size - 1])}"
    _check(caller.get(first_page).body, floor, catalog, first)
    _check(caller.get(last_page).body, floor, catalog, last)
    ways = Group(
        {
            "first": lambda: caller.get(first_page).seconds,
            "first, floor": lambda: floor.timed_documents(catalog.query_id, first[0], first[-1]),
            "last": lambda: caller.get(last_page).seconds,
            "last, floor": lambda: floor.timed_documents(catalog.query_id, last[0], last[-1]),
        }
    )
    [samples] = sampling.by_turns([ways])
    results.add_timings(samples, what="page of documents", items=catalog.items)


def _cursor(key: str) -> str:
    """Return the cursor of the page after ``key``, encoded as in ``web/rest/cursors.py``."""
    return base64.urlsafe_b64encode(key.encode()).rstrip(b"=").decode()


def _check(body: bytes, floor: Floor, catalog: SeededCatalog, keys: Sequence[str]) -> None:
    results = {document["content_key"]: document for document in orjson.loads(body)["results"]}
    if list(results) != list(keys):
        raise WrongAnswerError(f"a page of {len(results)} documents does not hold the {len(keys)} right ones in order")
    for key, updated_at, *_, stored in floor.documents(catalog.query_id, keys[0], keys[-1]):
        document = results[key]
        if document["content_last_modified"] != updated_at or not orjson.loads(stored).items() <= document.items():
            raise WrongAnswerError(f"the document of {key} is not the stored one")
