"""A short run of each benchmark without time limits: every value is measured, every response is correct."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import services
from tests.processes import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.processes, pytest.mark.long, pytest.mark.soak]

_SHORT = (
    *("--sizes", "40,200", "--runs", "2", "--warm-ups", "1", "--load-seconds", "0.5"),
    *("--documents", "100", "--sharers", "5", "--sync-sizes", "40,120", "--change-sizes", "50,130"),
    *("--slow-lms-items", "30"),
)
_SHORT_FLEET = (
    *("--configurations", "24", "--few", "4", "--items", "5", "--lms-hosts", "2", "--lms-seconds", "0.1"),
    *("--idle-seconds", "6", "--ticks", "1", "--workers", "1,2", "--first-sync-items", "4000", "--others", "4"),
    *("--others-per-second", "4", "--night-customers", "2", "--night-items", "100"),
)
WAYS = ("floor", "cold", "warm", "cold, HTTP", "warm, HTTP")
CHANGES = ("10 changes", "1 change", "no change, other version", "no change")
CHANGES_SINCE = ("content-changes", "page read", "content-diff", "floor")
SLOW_SYNCS = ("first, slow Moodle", "first, slow Canvas")
SYNCS = ("first", "unchanged, other ETag", "unchanged, all compared", "unchanged")


def test_a_short_benchmark_measures_everything_and_finds_all_answers_right(mariadb_url: str, tmp_path: Path) -> None:
    database = services.create_database(mariadb_url, "benchmark")
    places = ("--output", str(tmp_path / "results.json"), "--docs", str(tmp_path / "docs"))
    command = [sys.executable, "-m", "tests.benchmarks", "--database-url", database, *_SHORT, *places]

    done = subprocess.run(command, cwd=PROJECT, env=os.environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    diffs = {(each["how"], each["items"]) for each in results["timings"] if each["what"] == "diff"}
    assert diffs == {(how, items) for how in WAYS for items in (0, 40, 200)}
    assert all(len(each["seconds"]) == 2 for each in results["timings"])
    changes = {(each["how"], each["items"]) for each in results["timings"] if each["what"] == "changes since a version"}
    assert changes == {(how, items) for how in CHANGES_SINCE for items in (40, 200)}
    syncs = {(each["how"], each["items"]) for each in results["syncs"]}
    assert syncs == {
        ("changed", 40),
        *((how, items) for how in SYNCS for items in (40, 120)),
        *((how, items) for how in CHANGES for items in (50, 130)),
        *((how, 30) for how in SLOW_SYNCS),
    }
    for each in results["syncs"]:
        assert len(each["seconds"]) == len(each["lms_seconds"]) == (1 if each["how"] in SLOW_SYNCS else 2)
    lms_times = {each["what"]: each["value"] for each in results["figures"] if each["what"] in SLOW_SYNCS}
    assert lms_times.keys() == set(SLOW_SYNCS)
    assert min(lms_times.values()) >= 30 * 0.02
    assert all((min(each["lms_seconds"]) > 0) is (each["sent"] > 0) for each in results["syncs"])
    rows_written = {each["how"]: each["value"] for each in results["figures"] if "rows written" in each["how"]}
    assert rows_written["first, rows written"] >= 300
    assert (tmp_path / "docs" / "images" / "benchmarks.svg").read_text().startswith("<svg ")
    assert "yes" in (tmp_path / "docs" / "reference" / "benchmarks" / "targets.inc").read_text()


def test_growing_data_is_explained_and_removed(mariadb_url: str, tmp_path: Path) -> None:
    database, output = services.create_database(mariadb_url, "growing"), tmp_path / "results.json"
    few = ("--transmissions", "20000", "--attempts", "20000", "--items", "200", "--phases", "1", "--seconds", "1")
    places = ("--database-url", database, "--partitioned", "12000", "--output", str(output))
    command = [sys.executable, "-m", "tests.benchmarks.growing_data", *few, *places]

    done = subprocess.run(command, cwd=PROJECT, env=os.environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(output.read_text())
    assert len(results["statements"]) == 11
    assert results["removal"]["rows removed"] > 0
    assert [layout["removed"] for layout in results["layouts"]] == [1_000, 1_000]


def test_a_short_benchmark_of_a_fleet_finds_every_lms_right(mariadb_url: str, redis_url: str, tmp_path: Path) -> None:
    database = services.create_database(mariadb_url, "fleet_benchmark")
    servers = ("--database-url", database, "--redis-url", redis_url)
    places = ("--output", str(tmp_path / "fleet.json"), "--docs", str(tmp_path / "docs"))
    command = [sys.executable, "-m", "tests.benchmarks.fleet", *servers, *_SHORT_FLEET, *places]

    done = subprocess.run(command, cwd=PROJECT, env=os.environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "fleet.json").read_text())
    ticks = {(each["configurations"], each["due"]): each for each in results["ticks"]}
    assert ticks.keys() == {(4, 0), (4, 4), (24, 0), (24, 24)}
    assert [(each["requests"], each["messages"], each["again"]) for each in ticks.values()] == [
        *((1, 0, 0), (1, 4, 0), (1, 0, 0)),
        (1, 16, 0),  # SYNCS_PER_LMS_HOST at each of the two hosts.
    ]
    assert [each["ticks"] > 0 for each in results["idle"]] == [True, True]
    assert [(each["workers"], len(each["freshness"])) for each in results["changes"]] == [(1, 1), (2, 1)]
    assert [(each["how"], len(each["freshness"])) for each in results["next_to"]] == [
        ("alone", 4),
        ("next to a first sync", 4),
    ]
    assert results["first_sync_items"] > 0
    assert results["night"]["rows"]["attempts"] == 4
    met = {verdict["what"]: verdict["is_met"] for verdict in results["verdicts"]}
    assert met["tick, 24 idle configurations: requests"]
    assert met["tick, 24 idle configurations: statements"]
    assert "yes" in (tmp_path / "docs" / "benchmarks" / "fleet_targets.inc").read_text()
