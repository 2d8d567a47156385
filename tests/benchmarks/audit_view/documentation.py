"""The file that ``docs/reference/benchmarks.rst`` includes: the highest figures of each kind of page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tests.docs.list_tables import list_table, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.benchmarks.audit_view.exports import Export
    from tests.benchmarks.audit_view.measuring import Page

_TRANSMISSIONS: Final = "/admin/integrated_channels/contentmetadataitemtransmission/"
#: Kind of page -> regular expression of its addresses. The first kind that matches counts.
_KINDS: Final[Mapping[str, str]] = {
    "overview": r"/admin/(\?.*)?$",
    "diagnosis": r"/admin/diagnosis/",
    "search for transmissions": rf"{_TRANSMISSIONS}\?q=",
    "list of transmissions": rf"{_TRANSMISSIONS}(\?|$)",
    "list of attempts": r"/admin/integrated_channels/transmissionattempt/(\?|$)",
    "list of runs": r"/admin/integrated_channels/syncrun/(\?|$)",
    "list of configurations": r"/admin/integrated_channels/channelconfiguration/(\?|$)",
    "other lists": r"/admin/\w+/\w+/(\?|$)",
    "page of an item": rf"{_TRANSMISSIONS}\d+/change/",
    "page of a configuration": r"/admin/integrated_channels/channelconfiguration/\d+/change/",
    "other pages": r"/admin/",
    "diagnosis in the API": r"/api/v1/integrated-channels/diagnosis/",
    "API of the channels": r"/api/v1/integrated-channels/",
    "API of Open edX channels": r"/integrated_channels/",
    "lookups in the catalog service": r"/api/v1/",
}
_COLUMNS: Final = ("pages", "number", "most statements", "most rows read", "ms at 10,000", "ms at 10 million")


def write_docs(pages: Sequence[Page], small: Mapping[str, float], export: Export, path: Path) -> None:
    """Write the table. Overwrites the file of an earlier run."""
    table = "\n".join(list_table((_COLUMNS, *_rows(pages, small))))
    path.write_text(f"{table}\n\n{chr(10).join(wrapped(str(export)))}\n", encoding="utf-8")


def _rows(pages: Sequence[Page], small: Mapping[str, float]) -> Iterator[tuple[str, ...]]:
    for kind, matching in _by_kind(pages):
        yield (
            kind,
            f"{len(matching)}",
            f"{max(len(page.statements) for page in matching)}",
            f"{max(page.rows_read for page in matching):,}",
            f"{1_000 * max(small.get(page.address, 0) for page in matching):.0f}",
            f"{1_000 * max(page.seconds for page in matching):.0f}",
        )


def _by_kind(pages: Iterable[Page]) -> Iterator[tuple[str, list[Page]]]:
    kinds: dict[str, list[Page]] = {kind: [] for kind in _KINDS}
    for page in pages:
        kinds[next(kind for kind, pattern in _KINDS.items() if re.match(pattern, page.address))].append(page)
    yield from ((kind, matching) for kind, matching in kinds.items() if matching)
