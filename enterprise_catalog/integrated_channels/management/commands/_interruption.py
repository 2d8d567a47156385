"""Ctrl+C and SIGTERM in commands that call LMSs: end after the current call, and release the lease."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.exceptions import StopRequestedError
from enterprise_catalog.integrated_channels.lms.stopping import stop_on

if TYPE_CHECKING:
    from collections.abc import Iterator

_MESSAGE: Final = b"Interrupted: the command ends after the current call to the LMS, or at once if interrupted again.\n"


@contextmanager
def stop_on_interrupt() -> Iterator[None]:
    """Run the block until it ends, or until it raises StopRequestedError after SIGINT or SIGTERM.

    Raises:
        SystemExit: a signal was received. The exit code is 128 plus the signal's number, as in shells.
    """
    signals: list[int] = []

    def announce(number: int) -> None:
        signals.append(number)
        # Not through sys.stderr: the command may be writing to it when the handler runs.
        os.write(2, _MESSAGE)

    try:
        with stop_on(signal.SIGINT, signal.SIGTERM, on_request=announce):
            yield
    except StopRequestedError:
        pass
    if signals:
        sys.exit(128 + signals[0])
