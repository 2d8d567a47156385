"""Decompression of response bodies within a size limit.

A few bytes can decompress to gigabytes, so each step is limited: a check after decompression would be too late. Only
one encoding is accepted. A second layer of gzip would multiply the factor of the first, and no server needs it.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Value for ``Accept-Encoding``. Without ``deflate``: servers disagree about its format.
ACCEPTED: Final = "gzip"
_GZIP: Final = zlib.MAX_WBITS | 16
#: Maximum output of one decompression step, in bytes.
_STEP_BYTES: Final = 64 * 1024


class BodyError(Exception):
    """The body cannot be read; the message contains the reason."""


class TooLargeError(BodyError):
    """The body exceeds the limit, before or after decompression."""


def decode(parts: Iterable[bytes], *, encoding: str, limit: int) -> Iterator[bytes]:
    """Yield the decompressed body.

    Args:
        parts: the body as received.
        encoding: the ``Content-Encoding`` header; empty without one.
        limit: maximum number of bytes to read, and maximum number of bytes to yield.

    Raises:
        TooLargeError: the limit is exceeded. At most the limit and one step (64 KiB, or a part) is in memory.
        BodyError: the body does not match the header, or has another encoding than gzip, or several encodings.
    """
    name = encoding.strip().lower()
    if name not in ("", "identity", "gzip", "x-gzip"):
        raise BodyError(f"The response has the Content-Encoding {encoding[:100]!r}; only gzip is accepted.")
    sent = _limit_size(parts, limit)
    return sent if name in ("", "identity") else _limit_size(_unzip(sent), limit)


def _limit_size(parts: Iterable[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for part in parts:
        size += len(part)
        if size > limit:
            raise TooLargeError(f"The response is larger than {limit:,} bytes.")
        yield part


def _unzip(parts: Iterable[bytes]) -> Iterator[bytes]:
    decompressor = zlib.decompressobj(_GZIP)
    is_empty = True
    for part in parts:
        is_empty = is_empty and not part
        yield from _steps(decompressor, part)
    if not (is_empty or decompressor.eof):
        raise BodyError("The response ends in the middle of its gzip data.")


def _steps(decompressor: zlib._Decompress, part: bytes) -> Iterator[bytes]:
    """Yield all bytes that can be decompressed so far. Bytes after the end of the gzip data are ignored."""
    while not decompressor.eof:
        try:
            step = decompressor.decompress(part, _STEP_BYTES)
        except zlib.error as error:
            raise BodyError(f"The response has the Content-Encoding gzip, but its body is not gzip: {error}") from error
        yield step
        part = decompressor.unconsumed_tail
        if not part and len(step) < _STEP_BYTES:
            return
