"""Bodies of responses, decompressed without exceeding a size limit.

A few bytes can decompress to gigabytes, so each step is bounded: a limit that is checked after decompression comes too
late. Only one encoding is accepted: a second layer of gzip multiplies the factor of the first, and no server needs it.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: What to send as ``Accept-Encoding``. Not ``deflate``: servers disagree about its format.
ACCEPTED: Final = "gzip"
_GZIP: Final = zlib.MAX_WBITS | 16
#: The most that one step of the decompression returns, in bytes.
_STEP_BYTES: Final = 64 * 1024


class BodyError(Exception):
    """The body cannot be read; the message says why, and names what the response's header said."""


class TooLargeError(BodyError):
    """The body is larger than the limit, as it was sent or decompressed."""


def decoded(parts: Iterable[bytes], *, encoding: str, limit: int) -> Iterator[bytes]:
    """Yield the body that ``parts`` carry, decompressed.

    Args:
        parts: as they came over the network.
        encoding: the ``Content-Encoding`` header; empty without one.
        limit: the most bytes that may be read, and that may be yielded.

    Raises:
        TooLargeError: the limit is exceeded. No more than the limit and one step (64 KiB, or a part) is in memory.
        BodyError: the body is not what the header says, or has another encoding than gzip, or several.
    """
    name = encoding.strip().lower()
    if name not in ("", "identity", "gzip", "x-gzip"):
        raise BodyError(f"The response has the Content-Encoding {encoding[:100]!r}; only gzip was offered.")
    sent = _limited(parts, limit)
    return sent if name in ("", "identity") else _limited(_unzipped(sent), limit)


def _limited(parts: Iterable[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for part in parts:
        size += len(part)
        if size > limit:
            raise TooLargeError(f"The response is larger than {limit:,} bytes.")
        yield part


def _unzipped(parts: Iterable[bytes]) -> Iterator[bytes]:
    decompressor = zlib.decompressobj(_GZIP)
    is_empty = True
    for part in parts:
        is_empty = is_empty and not part
        yield from _steps(decompressor, part)
    if not (is_empty or decompressor.eof):
        raise BodyError("The response ends in the middle of its gzip data.")


def _steps(decompressor: zlib._Decompress, part: bytes) -> Iterator[bytes]:
    """Yield all that can be decompressed by now; what follows the end of the gzip data is ignored."""
    while not decompressor.eof:
        try:
            step = decompressor.decompress(part, _STEP_BYTES)
        except zlib.error as error:
            raise BodyError(f"The response is not the gzip that its Content-Encoding says: {error}") from error
        yield step
        part = decompressor.unconsumed_tail
        if not part and len(step) < _STEP_BYTES:
            return
