"""Freed memory stays with a web server process, as far as the C library supports it."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from enterprise_catalog.web.freed_memory import keep_freed_memory

#: Allocates and frees 16 MB twenty times, and prints how many pages the process had to get. The blocks are smaller than
#: what glibc maps one by one, and more than what Python keeps.
_WORK = """
import resource, sys
from enterprise_catalog.web.freed_memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
def work():
    return len([bytes(100_000) for _ in range(160)])
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(mode: str) -> int:
    done = subprocess.run([sys.executable, "-c", _WORK, mode], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_repeated_work_gets_its_pages_once() -> None:
    assert page_faults("kept") < page_faults("returned") / 10


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_it_is_safe_to_repeat() -> None:
    assert keep_freed_memory()
    assert keep_freed_memory()
