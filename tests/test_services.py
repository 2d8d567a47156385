"""The selection of tests: what ``make test`` runs on SQLite."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests import services, warm_start
from tests.processes import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

#: A file with tests of the suite's database, for both databases.
FILE = "tests/web/test_any_request.py"


@pytest.mark.processes
def test_tests_that_also_run_on_mariadb_run_on_sqlite_if_there_is_no_mariadb(tmp_path: Path) -> None:
    services.or_skip(services._check_driver)
    for name in ("mariadbd", "mariadb-install-db"):
        (tmp_path / name).touch(mode=0o755)

    with_mariadb, without_mariadb = selected(str(tmp_path)), selected("")

    assert with_mariadb == set()
    assert f"{FILE}::test_every_url_answers_every_method[GET]" in without_mariadb


def selected(places: str) -> set[str]:
    """Return the tests of ``FILE`` that are not slow, with servers in these folders only, separated by colons."""
    code = (
        "import pytest\n"
        "class Places:\n"
        "    def pytest_configure(self):\n"
        "        from tests import services\n"
        f"        services._PLACES = {places!r}\n"
        f"options = ['--collect-only', '-q', '-p', 'no:cacheprovider', '-m', 'not slow', '{FILE}']\n"
        "pytest.main(options, plugins=[Places()])\n"
    )
    unset = {"TEST_DATABASE_URL", "PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    done = warm_start.run(["-c", code], cwd=PROJECT, env=environment, cold=True)
    assert "tests collected" in done.stdout, done.stdout + done.stderr
    return {line for line in done.stdout.splitlines() if "::" in line}
