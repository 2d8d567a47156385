"""Reuse of freed memory between requests: a setting of the C library, for web server processes.

glibc returns freed memory at the top of its heap to the operating system. The next request then gets new pages, and the
kernel clears each one. docs/decisions/0022 has the measurements.
"""

from __future__ import annotations

import ctypes
from typing import Final

#: The most freed memory that stays with the process, in bytes. A diff of 250,000 keys takes about this much.
_KEPT_BYTES: Final = 64 * 2**20
#: Larger blocks, such as a body of 64 MiB, go back to the operating system at once. glibc accepts no larger value.
_LARGE_BLOCK_BYTES: Final = 32 * 2**20
#: Numbers from glibc's ``malloc.h``.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3


def keep_freed_memory() -> bool:
    """Keep up to 64 MiB of freed memory in this process and in processes forked from it. Safe to repeat.

    Returns:
        True if the C library has this setting (glibc); otherwise nothing changes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows.
        return False
    return bool(mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES) and mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES))
