"""The command line: Django's, except that ``command | head`` and Ctrl+C end a command without a traceback."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Final

from django.core.management import execute_from_command_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import ReadableBuffer

#: Exit code of a command whose reader has gone; shells report 128 + SIGPIPE for any program.
READER_GONE: Final = 141
#: Exit code of a command that Ctrl+C ended: 128 + SIGINT.
INTERRUPTED: Final = 130


def run(arguments: Sequence[str]) -> None:
    """Run a management command in this process, which should then end.

    Args:
        arguments: the whole command line, its program included.

    Raises:
        SystemExit: the command failed, the reader of its standard output has gone (:data:`READER_GONE`), or the command
            was interrupted (:data:`INTERRUPTED`).
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout = _piped(sys.stdout)
    try:
        execute_from_command_line([*arguments])
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)  # noqa: T201  (there is no command to write with)
        sys.exit(INTERRUPTED)
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()


class _Pipe(io.FileIO):
    """Standard output; ends the command when its reader has gone.

    SystemExit passes the ``except Exception`` of commands. A BrokenPipeError would not, and could also come from a
    connection to a database or an LMS. SIGPIPE's default action would end the process for those connections, too.
    """

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            # What is still buffered, here and when the interpreter exits, goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            # Generators that still read rows would report that Django has closed their connection.
            sys.unraisablehook = lambda _: None
            sys.exit(READER_GONE)


def _piped(stdout: io.TextIOWrapper) -> io.TextIOWrapper:
    """Return a stream like ``stdout``, to the same file, that ends the command when its reader has gone."""
    stdout.flush()
    pipe = _Pipe(stdout.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        pipe if stdout.write_through else io.BufferedWriter(pipe),
        encoding=stdout.encoding,
        errors=stdout.errors,
        line_buffering=stdout.line_buffering,
        write_through=stdout.write_through,
    )
