"""The files in which processes count: sums over living and dead processes, with as many files as living processes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from enterprise_catalog.observability import metric_files
from enterprise_catalog.observability.metric_files import FolderCollector, merge_files_of_dead_processes
from tests.observability.metrics_page import samples, value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from prometheus_client import Metric

#: Counts in three kinds of metrics, reports that it is done, and waits for the end of its input.
COUNT: Final = """
import sys
from prometheus_client import Counter, Gauge, Histogram
Counter("calls", "Calls.", ["channel"]).labels("MOODLE").inc(3)
Histogram("seconds", "Durations.", buckets=(1, 5)).observe(2)
Gauge("open_calls", "Calls under way.", multiprocess_mode="livesum").set(1)
print(flush=True)
sys.stdin.read()
"""


class Counting:
    """A process that counts."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", COUNT],
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def end(self) -> None:
        """Let the process end; returns when it has ended."""
        self.process.communicate()


@pytest.fixture
def living(tmp_path: Path) -> Iterator[Counting]:
    process = Counting(tmp_path)
    yield process
    process.end()


@pytest.fixture
def dead(tmp_path: Path) -> None:
    """Two processes that have counted and ended."""
    processes = [Counting(tmp_path), Counting(tmp_path)]
    for process in processes:
        process.end()


def page_of(folder: Path) -> bytes:
    registry = CollectorRegistry()
    registry.register(FolderCollector(str(folder)))
    return generate_latest(registry)


@pytest.mark.usefixtures("dead")
def test_counts_of_dead_processes_stay_in_one_file_per_kind(tmp_path: Path, living: Counting) -> None:
    before = page_of(tmp_path)

    merge_files_of_dead_processes(str(tmp_path))

    pid = living.process.pid
    assert {path.name for path in tmp_path.glob("*.db")} == {
        *(f"{kind}_{process}.db" for kind in ("counter", "histogram") for process in (0, pid)),
        f"gauge_livesum_{pid}.db",
    }
    after = page_of(tmp_path)
    assert value_of(after, "calls_total", channel="MOODLE") == 9
    assert (value_of(after, "seconds_count"), value_of(after, "seconds_sum")) == (3, 6)
    assert (value_of(before, "open_calls"), value_of(after, "open_calls")) == (3, 1)
    assert [value_of(after, "seconds_bucket", le=le) for le in ("1.0", "5.0", "+Inf")] == [0, 3, 3]


@pytest.mark.usefixtures("dead")
def test_it_is_safe_to_merge_twice(tmp_path: Path) -> None:
    merge_files_of_dead_processes(str(tmp_path))
    once = sorted(map(str, samples(page_of(tmp_path))))

    merge_files_of_dead_processes(str(tmp_path))

    assert once
    assert sorted(map(str, samples(page_of(tmp_path)))) == once


@pytest.mark.usefixtures("dead")
def test_no_file_disappears_while_a_page_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_during_a_merge(files: list[str]) -> Iterable[Metric]:
        merge_files_of_dead_processes(str(tmp_path))
        assert {str(path) for path in tmp_path.glob("*.db")} == set(files)
        return read(files)

    read: Callable[[list[str]], Iterable[Metric]] = MultiProcessCollector.merge
    monkeypatch.setattr(MultiProcessCollector, "merge", staticmethod(read_during_a_merge))

    assert value_of(page_of(tmp_path), "calls_total") == 6
    files = set(tmp_path.glob("*.db"))
    merge_files_of_dead_processes(str(tmp_path))
    assert set(tmp_path.glob("*.db")) != files


@pytest.mark.usefixtures("dead")
def test_a_death_during_a_merge_counts_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def add_and_die(path: Path, *, to: Path) -> None:
        add(path, to=to)
        raise KeyboardInterrupt

    add = metric_files._add
    monkeypatch.setattr(metric_files, "_add", add_and_die)
    with pytest.raises(KeyboardInterrupt):
        merge_files_of_dead_processes(str(tmp_path))
    monkeypatch.undo()

    merge_files_of_dead_processes(str(tmp_path))

    assert value_of(page_of(tmp_path), "calls_total") == 6
    assert not list(tmp_path.glob("*.merging"))


@pytest.mark.usefixtures("living")
@pytest.mark.parametrize("kind", ["counter", "histogram", "gauge_livesum"])
def test_a_page_leaves_out_a_file_that_a_process_has_just_created(tmp_path: Path, kind: str) -> None:
    before = sorted(map(str, samples(page_of(tmp_path))))

    (tmp_path / f"{kind}_{os.getpid()}.db").touch()

    assert value_of(page_of(tmp_path), "calls_total") == 3
    assert sorted(map(str, samples(page_of(tmp_path)))) == before


def test_an_empty_file_of_a_dead_process_is_deleted(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    (tmp_path / f"counter_{process.pid}.db").touch()

    merge_files_of_dead_processes(str(tmp_path))

    assert not list(tmp_path.glob("*.db"))


def test_a_process_that_no_parent_has_reaped_is_dead(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    (tmp_path / f"counter_{process.pid}.db").touch()

    merge_files_of_dead_processes(str(tmp_path))

    assert not list(tmp_path.glob("*.db"))
    process.wait()
