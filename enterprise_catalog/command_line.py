"""Django's command line, with two differences.

``command | head`` and Ctrl+C end a command without a traceback, and ``create_channel`` has a ``--settings`` of its own.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Final

from django.core.management import execute_from_command_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import ReadableBuffer

#: Exit code when the reader of standard output has closed the pipe; shells report 128 + SIGPIPE for any program.
READER_GONE: Final = 141
#: Exit code after Ctrl+C: 128 + SIGINT.
INTERRUPTED: Final = 130


def run(arguments: Sequence[str]) -> None:
    """Run a management command in this process. The process should end afterwards.

    Args:
        arguments: the whole command line, including the program's name.

    Raises:
        SystemExit: the command failed, the reader of its standard output closed the pipe (:data:`READER_GONE`), or the
            command was interrupted (:data:`INTERRUPTED`).
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout = _piped(sys.stdout)
    try:
        execute_from_command_line(_with_lms_settings(arguments))
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)  # noqa: T201  (no command object to write with)
        sys.exit(INTERRUPTED)
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()


def _with_lms_settings(arguments: Sequence[str]) -> list[str]:
    """Return ``arguments`` with the ``--settings`` of ``create_channel`` spelled ``--lms-settings``.

    Django reads ``--settings`` of any command before it looks up the command, and imports the settings module that it
    names.
    """
    if arguments[1:2] != ["create_channel"]:
        return [*arguments]
    return [
        f"--lms-{argument.removeprefix('--')}" if argument.partition("=")[0] == "--settings" else argument
        for argument in arguments
    ]


class _Pipe(io.FileIO):
    """Standard output that ends the command when the reader closes the pipe.

    SystemExit passes the ``except Exception`` of commands. A BrokenPipeError would be caught there. It could also come
    from a connection to a database or an LMS. The default action for SIGPIPE would end the process on those errors too.
    """

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            # Discard the data that is still buffered, here and when the interpreter exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            # Generators that still read rows would report that Django has closed their connection.
            sys.unraisablehook = lambda _: None
            sys.exit(READER_GONE)


def _piped(stdout: io.TextIOWrapper) -> io.TextIOWrapper:
    """Return a stream to the same file as ``stdout`` that ends the command when the reader closes the pipe."""
    stdout.flush()
    pipe = _Pipe(stdout.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        pipe if stdout.write_through else io.BufferedWriter(pipe),
        encoding=stdout.encoding,
        errors=stdout.errors,
        line_buffering=stdout.line_buffering,
        write_through=stdout.write_through,
    )
