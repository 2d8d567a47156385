"""First half of an import: reads and checks the lines, and stores the valid documents in a temporary file.

It does not use the database: rejecting a bad file costs little. Memory holds the keys, never the documents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

from enterprise_catalog.catalog.documents import Document, DocumentError, NotJSONError, parse_document
from enterprise_catalog.catalog.ingest.bad_lines import keys_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: In percent. A file with more bad lines is probably the wrong file and replaces nothing.
MAX_BAD_PERCENT: Final = 1


class ImportRefusedError(Exception):
    """A refused import: nothing was written. The text gives the reason."""


class BadLineError(ImportRefusedError):
    """A line that cannot be imported, with its number, when the import stops at the first bad line."""


class TruncatedFileError(BadLineError):
    """The file ends in the middle of a line; further lines may be missing."""


class TooManyBadLinesError(ImportRefusedError):
    """More than 1 % of the lines are bad, and the import was to replace the catalog."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The position of a valid document in the temporary file, and the fields needed without reading it."""

    content_key: str
    content_hash: str
    offset: int
    length: int
    line_number: int


@dataclass(slots=True)
class ImportFile:
    """The valid documents of an import, and its bad lines."""

    file: IO[bytes]
    parse: Callable[[bytes], Document] = parse_document  #: Parses a line of the temporary file.
    #: Keys of stored content that becomes or stays a member, without a document in this file.
    kept_keys: set[str] = field(default_factory=set)
    entries: list[Entry] = field(default_factory=list)  #: Ascending by key.
    line_count: int = 0  #: Without empty lines.
    bad_count: int = 0
    bad_keys: set[str] = field(default_factory=set)  #: Keys of items on bad lines, if readable.
    keyless_lines: list[int] = field(default_factory=list)  #: Numbers of bad lines without a readable key.

    @property
    def keys(self) -> set[str]:
        """The keys of all items in the file, on valid and on bad lines, and the kept ones."""
        return {entry.content_key for entry in self.entries} | self.bad_keys | self.kept_keys

    def read(self, entry: Entry) -> Document:
        """Read a valid document back from the temporary file."""
        self.file.seek(entry.offset)
        return self.parse(self.file.read(entry.length))

    def check_replacement(self) -> None:
        """Refuse a file with too many bad lines to replace a catalog.

        Raises:
            TooManyBadLinesError: more than 1 % of its lines are bad.
        """
        if self.bad_count * 100 > MAX_BAD_PERCENT * self.line_count:
            raise TooManyBadLinesError(
                f"{self.bad_count:,} of {self.line_count:,} lines are bad. "
                f"A file with more than {MAX_BAD_PERCENT} % bad lines cannot replace a catalog"
            )


def read_lines(lines: Iterable[bytes], file: IO[bytes], on_bad_line: Callable[[int, str], None] | None) -> ImportFile:
    """Write the valid documents of ``lines`` to ``file`` and return their entries.

    Args:
        lines: as a file yields them, each but the last with its line break.
        on_bad_line: called with the number (from 1) and the reason of each bad line, which is then skipped.

    Raises:
        BadLineError: a line is bad, and ``on_bad_line`` is ``None``.
        TruncatedFileError: the last line is cut off, with or without ``on_bad_line``.
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
        raise DocumentError(f"{key} is already on line {earlier.line_number}, with different content")


def _note_bad(found: ImportFile, line: bytes, number: int) -> None:
    found.bad_count += 1
    keys = keys_on(line)
    found.bad_keys |= keys
    if not keys:
        found.keyless_lines.append(number)
