"""The files in which processes count, and their end: the counts of dead processes are merged into one file.

prometheus_client names a file after the kind of its metrics and the process: ``counter_4711.db``. Without a merge, each
restart of a worker process would leave files forever. If the files were deleted, sums would fall.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client import Metric

#: Stands for all dead processes. No process has this id.
_DEAD: Final = 0
_LOCK_FILE: Final = "lock"


class FolderCollector(Collector):
    """Sums the counts of all processes, while no other process merges files.

    Skips empty files: a process creates its file first, and then enlarges it.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def collect(self) -> Iterable[Metric]:
        with _locked(self._folder, fcntl.LOCK_SH):
            written = [str(path) for path in self._folder.glob("*.db") if path.stat().st_size]
            metrics: Iterable[Metric] = MultiProcessCollector.merge(written)
        return metrics


def merge_files_of_dead_processes(folder: str) -> None:
    """Add the counts of processes that have ended to one file per kind, and delete their files.

    Gauges of dead processes are dropped. Does nothing while another process merges or reads. Only processes that see
    each other's ids may share a folder: containers have a folder each, or share their process namespace.
    """
    try:
        with _locked(Path(folder), fcntl.LOCK_EX | fcntl.LOCK_NB):
            _merge(Path(folder))
    except BlockingIOError:
        return


@contextmanager
def _locked(folder: Path, mode: int) -> Iterator[None]:
    with (folder / _LOCK_FILE).open("a") as lock:
        fcntl.flock(lock, mode)
        yield


def _merge(folder: Path) -> None:
    for path in folder.glob("*.merging"):  # Left by a process that died during a merge.
        path.unlink()
    for path in folder.glob("*.db"):
        kind, _, process_id = path.stem.rpartition("_")
        if process_id.isdecimal() and int(process_id) != _DEAD and not _is_alive(int(process_id)):
            # Renamed first: a death in between loses the counts of one process, and counts nothing twice.
            taken = path.rename(path.with_suffix(".merging"))
            if not kind.startswith("gauge"):
                _add(taken, to=folder / f"{kind}_{_DEAD}.db")
            taken.unlink()


def _add(path: Path, *, to: Path) -> None:
    if not path.stat().st_size:  # Its process died before it counted anything.
        return
    total = MmapedDict(str(to))
    try:
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(path)):
            total.write_value(key, total.read_value(key)[0] + value, 0.0)
    finally:
        total.close()


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # Of another user.
    return not _is_zombie(process_id)


def _is_zombie(process_id: int) -> bool:
    """Return True if the process has ended, but its parent has not noticed. A container may have no such parent."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # Not Linux, or it has gone meanwhile.
        return False
    return stat.rpartition(")")[2].split()[0] in "ZX"
