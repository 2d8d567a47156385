"""Content of the demonstration, before and after the change."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from enterprise_catalog.sandbox.demonstration.processes import DemonstrationError
from enterprise_catalog.sandbox.open_edx.documents import DocumentError, name_of, read_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from enterprise_catalog.sandbox.open_edx.runs import Document

#: Between the syncs, 1 of 20 items is changed, 1 of 20 is added and 1 of 20 is removed.
CHANGED_SHARE: Final = 20


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of course-discovery before and after the change."""

    before: list[Document]
    after: list[Document]

    @property
    def kinds(self) -> list[str]:
        """The content types that the catalog's filter asks for: those of the data.

        Runs are left out if there is anything else: every course brings its runs, and most are not in the data.
        """
        kinds = sorted({name_of(document)[0] for document in self.after})
        return [kind for kind in kinds if kind not in {"courserun", "person"}] or kinds


def read_documents(file: Path) -> list[Document]:
    """Return the documents of a file with one document per line.

    Raises:
        DemonstrationError: the data is invalid or empty. The message names the first bad line and the reason.
    """
    try:
        # Not splitlines(): JSON may contain other line separators.
        documents = read_lines(file.read_text(encoding="utf-8").split("\n"))
    except (DocumentError, UnicodeDecodeError) as error:
        raise DemonstrationError(f"{file}: {error}") from error
    if not documents:
        raise DemonstrationError(f"{file}: this file contains no content document")
    return documents


def split(documents: Sequence[Document]) -> Contents:
    """Return the content before and after the change. The content after the change is ``documents``.

    The content before the change lacks some documents, has old titles for some, and has some that are then removed.
    """
    if len(documents) == 1:  # Removing it would empty the catalog, and such a delete is held for approval.
        return Contents(before=[_outdated(documents[0])], after=list(documents))
    share = max(1, len(documents) // CHANGED_SHARE)
    stale = [_outdated(document) for document in documents[share : 2 * share]]
    retiring = [_retired(document) for document in documents[:share]]
    return Contents(before=[*stale, *documents[2 * share :], *retiring], after=list(documents))


def titles_of(documents: Sequence[Document], kinds: Sequence[str]) -> dict[str, str]:
    """Return content key -> title of the documents of these kinds."""
    named = ((name_of(document), document) for document in documents)
    return {key: str(document.get("title")) for (kind, key), document in named if kind in kinds}


def _outdated(document: Document) -> Document:
    return {**document, "title": f"{document.get('title')} (old title)"}


def _retired(document: Document) -> Document:
    """Return a copy of ``document`` with its own content key."""
    kind, _ = name_of(document)
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True)))
    copy = {**document, "uuid": name, "title": f"{document.get('title')} (retires)"}
    if "key" in document:
        copy["key"] = f"Retired+{name[:8]}"
    return {**copy, "aggregation_key": f"{kind}:{copy.get('key', name)}"}
