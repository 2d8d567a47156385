"""The Makefile, with fake Python executables that are fast and fail on demand. Installs nothing."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.processes import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.processes

#: A python3 of an unsupported version.
OLD_PYTHON: Final = f"""#!/bin/sh
exec {sys.executable} -c "import sys; sys.version_info = (3, 9, 18, 'final', 0); exec(sys.argv[1])" "$2"
"""
#: A python3 without ensurepip, like Debian's without python3-venv: it leaves an incomplete virtual environment.
PYTHON_WITHOUT_VENV: Final = """#!/bin/sh
if [ "$1" = -m ]; then mkdir -p "$3/bin"; ln -s /bin/true "$3/bin/python"; echo "no ensurepip" >&2; exit 1; fi
"""
#: A virtual environment's python: logs its arguments, saves pip's input, and fails as configured in the environment.
#: Its tests on SQLite look for those on MariaDB several times, if so configured, and are logged after them.
VENV_PYTHON: Final = """#!/bin/sh
case "$*" in
    *" pip "*)
        for file; do :; done
        echo "pip $(basename "$file")" >> "$LOG"
        if grep -q "^mysqlclient==" "$file" && [ "$NO_COMPILER" ]; then exit 1; fi
        if grep -q "^gunicorn==" "$file"; then echo "installed gunicorn" >> "$LOG"; fi ;;
    *--mariadb*) echo "pytest mariadb" >> "$LOG"; exit ${MARIADB:-0} ;;
    *pytest*)
        tries=${TRIES:-0}
        until [ $tries -eq 0 ] || grep -q mariadb "$LOG"; do tries=$((tries - 1)); sleep 0.1; done 2>/dev/null
        echo "pytest sqlite" >> "$LOG"; exit ${SQLITE:-0} ;;
esac
"""


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def make(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run make, without the variables of a make process that may have started this test."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments], cwd=PROJECT, env=inherited | variables, capture_output=True, text=True, check=False
    )


def test_an_unsupported_python_is_named_and_leaves_nothing_behind(tmp_path: Path) -> None:
    python = script(tmp_path / "bin" / "python3", OLD_PYTHON)

    done = make("migrate", f"VENV={tmp_path}/venv", PATH=f"{python.parent}:{os.environ['PATH']}")

    assert done.returncode == 2
    assert re.search(r"Python 3\.9\.18 at \S+ is not supported\. Python 3\.11 or later is needed", done.stderr)
    assert not (tmp_path / "venv").exists()


def test_an_environment_of_an_unsupported_python_is_refused_before_pip_runs(tmp_path: Path) -> None:
    script(tmp_path / "venv" / "bin" / "python", OLD_PYTHON)

    done = make("migrate", f"VENV={tmp_path}/venv")

    assert done.returncode == 2
    assert "Python 3.9.18" in done.stderr
    assert not (tmp_path / "venv" / ".base").exists()


def test_a_virtual_environment_that_cannot_be_made_is_removed(tmp_path: Path) -> None:
    python = script(tmp_path / "python3", PYTHON_WITHOUT_VENV)

    done = make("migrate", f"VENV={tmp_path}/venv", f"PYTHON={python}")

    assert done.returncode == 2
    assert "no ensurepip" in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """A virtual environment without packages; its log is the file ``log`` in it."""
    script(tmp_path / "venv" / "bin" / "python", VENV_PYTHON)
    return tmp_path / "venv"


def log_of(venv: Path) -> list[str]:
    return (venv / "log").read_text().splitlines()


def test_without_a_compiler_all_but_mysqlclient_is_installed(venv: Path) -> None:
    done = make(str(venv / ".test"), f"VENV={venv}", LOG=f"{venv}/log", NO_COMPILER="1")

    assert done.returncode == 0
    assert log_of(venv) == ["pip test.txt", "pip production.txt", "pip without-mysqlclient.txt", "installed gunicorn"]
    assert "mysqlclient could not be built" in done.stdout


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
@pytest.mark.parametrize(
    ("codes", "reported", "has_failed"),
    [
        ({}, ("passed", "passed"), False),
        ({"SQLITE": "1"}, ("FAILED (exit code 1)", "passed"), True),
        ({"MARIADB": "2"}, ("passed", "FAILED (exit code 2)"), True),
        ({"SQLITE": "1", "MARIADB": "1"}, ("FAILED (exit code 1)", "FAILED (exit code 1)"), True),
        ({"SQLITE": "5"}, ("no test selected", "passed"), False),
        ({"MARIADB": "5"}, ("passed", "no test selected"), False),
        ({"SQLITE": "5", "MARIADB": "1"}, ("no test selected", "FAILED (exit code 1)"), True),
        ({"SQLITE": "5", "MARIADB": "5"}, ("no test selected", "no test selected"), True),
    ],
)
def test_both_halves_of_the_tests_run_and_are_reported(
    venv: Path, jobs: str, codes: dict[str, str], reported: tuple[str, str], *, has_failed: bool
) -> None:
    (venv / ".test").touch()

    done = make(jobs, "--output-sync", "test", f"VENV={venv}", LOG=f"{venv}/log", **codes)

    assert sorted(log_of(venv)) == ["pytest mariadb", "pytest sqlite"]
    assert (f"== tests on sqlite: {reported[0]}\n== tests on mariadb: {reported[1]}\n") in done.stdout
    assert (done.returncode != 0) is has_failed


def test_both_halves_run_at_the_same_time(venv: Path) -> None:
    (venv / ".test").touch()

    make("test", f"VENV={venv}", LOG=f"{venv}/log", TRIES="600", TEST_DATABASE_URL="", TEST_REDIS_URL="")

    assert log_of(venv) == ["pytest mariadb", "pytest sqlite"]


@pytest.mark.parametrize("variable", ["TEST_DATABASE_URL", "TEST_REDIS_URL"])
def test_halves_do_not_share_servers_that_are_given(venv: Path, variable: str) -> None:
    (venv / ".test").touch()

    make("test", f"VENV={venv}", LOG=f"{venv}/log", TRIES="5", **{variable: "given"})

    assert log_of(venv) == ["pytest sqlite", "pytest mariadb"]


@pytest.mark.parametrize("target", re.findall(r"\n(benchmark[a-z-]*): .*##", (PROJECT / "Makefile").read_text()))
@pytest.mark.parametrize("given", [None, "--output results.json"])
def test_a_benchmark_accepts_its_options(target: str, given: str | None) -> None:
    done = make("--dry-run", target, "ARGS=", *([] if given is None else [f"BENCHMARK={given}"]))

    _, _, module, *options = shlex.split(done.stdout.splitlines()[-1])
    parsed = importlib.import_module(f"{module}.__main__")._parser().parse_args(options)
    assert given is None or str(parsed.output) == "results.json"
