"""The first half of an import: read the lines, check each, and keep the acceptable documents in a temporary file.

The database is not touched, so that a bad file costs nothing. Memory holds the keys, never the documents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

from enterprise_catalog.catalog.bad_lines import keys_on
from enterprise_catalog.catalog.documents import Document, DocumentError, NotJSONError, parse_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: With more bad lines than this, the file is not what it should be, and replaces nothing.
MAX_BAD_PERCENT: Final = 1


class ImportRefusedError(Exception):
    """An import that was not carried out; nothing was written, and the text gives the reason."""


class BadLineError(ImportRefusedError):
    """A line that cannot be imported, with its number, when the import is to stop at the first one."""


class TruncatedFileError(BadLineError):
    """The file ends in the middle of a line, so that further lines may be missing."""


class TooManyBadLinesError(ImportRefusedError):
    """More than 1 % of the lines are bad, and the file was to replace the catalog."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an accepted document lies in the temporary file, and what of it is needed without reading it."""

    content_key: str
    content_hash: str
    offset: int
    length: int
    line_number: int


@dataclass(slots=True)
class ImportFile:
    """The acceptable documents of an import, and the bad lines."""

    file: IO[bytes]
    entries: list[Entry] = field(default_factory=list)  #: Ascending by key.
    line_count: int = 0  #: Without empty lines.
    bad_count: int = 0
    bad_keys: set[str] = field(default_factory=set)  #: Of the items on bad lines, as far as they can be read.
    keyless_lines: list[int] = field(default_factory=list)  #: Numbers of the bad lines without a readable key.

    @property
    def keys(self) -> set[str]:
        """Keys of all items that the file describes, well or badly."""
        return {entry.content_key for entry in self.entries} | self.bad_keys

    def read(self, entry: Entry) -> Document:
        """Return an accepted document."""
        self.file.seek(entry.offset)
        return parse_document(self.file.read(entry.length))

    def check_replacement(self) -> None:
        """Refuse a file that is too bad to replace a catalog.

        Raises:
            TooManyBadLinesError: more than 1 % of its lines are bad.
        """
        if self.bad_count * 100 > MAX_BAD_PERCENT * self.line_count:
            raise TooManyBadLinesError(
                f"{self.bad_count:,} of {self.line_count:,} lines are bad. "
                f"A file with more than {MAX_BAD_PERCENT} % bad lines does not replace a catalog"
            )


def read_lines(lines: Iterable[bytes], file: IO[bytes], on_bad_line: Callable[[int, str], None] | None) -> ImportFile:
    """Write the acceptable documents of ``lines`` to ``file``.

    Args:
        lines: as a file yields them, each but the last with its line break.
        on_bad_line: called with the number (from 1) and the reason of each bad line, which is then skipped.

    Raises:
        BadLineError: a bad line without ``on_bad_line``.
        TruncatedFileError: the last line is cut, with or without ``on_bad_line``.
    """
    found = ImportFile(file)
    entries: dict[str, Entry] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found.line_count += 1
        try:
            _accept(line, number, entries, file)
        except DocumentError as error:
            if isinstance(error, NotJSONError) and not line.endswith(b"\n"):
                reason = f"{error}. The file ends within this line and is probably incomplete"
                raise TruncatedFileError(f"line {number}: {reason}") from error
            if on_bad_line is None:
                raise BadLineError(f"line {number}: {error}") from error
            on_bad_line(number, str(error))
            _note_bad(found, line, number)
    found.entries = sorted(entries.values(), key=lambda entry: entry.content_key)
    return found


def _accept(line: bytes, number: int, entries: dict[str, Entry], file: IO[bytes]) -> None:
    document = parse_document(line)
    key = document.content_key
    earlier = entries.get(key)
    if earlier is None:
        entries[key] = Entry(key, document.content_hash, file.tell(), len(line), number)
        file.write(line)
    elif earlier.content_hash != document.content_hash:
        raise DocumentError(f"{key} is on line {earlier.line_number} already, with other content")


def _note_bad(found: ImportFile, line: bytes, number: int) -> None:
    found.bad_count += 1
    keys = keys_on(line)
    found.bad_keys |= keys
    if not keys:
        found.keyless_lines.append(number)
