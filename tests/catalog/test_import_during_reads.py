"""A large import does not block readers: they get the catalog from before or after the import."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

from tests import services
from tests.catalog.consistency import Answer, Change, Item, Kind, Question, RecordedRun
from tests.catalog.http_readers import Audience
from tests.catalog.importer_process import CATALOG, NEW_KEYS, NEW_TIME, OLD_KEYS, OLD_TIME
from tests.migrated_database import migrate
from tests.processes import Site, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from random import Random

    from tests.catalog.consistency import Items
    from tests.processes import Dialogue

pytestmark = [pytest.mark.processes, pytest.mark.long]

#: Answers required while the import has written all rows but not committed.
MEANWHILE: Final = 10
PATIENCE_SECONDS: Final = 120


@pytest.fixture(params=["MariaDB", pytest.param("SQLite", marks=pytest.mark.slow)])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """The service, with an empty database."""
    variables = {"API_THROTTLE_RATE": "100000/second", "GUNICORN_CMD_ARGS": "--threads 2"}
    if request.param == "MariaDB":
        server = request.getfixturevalue("mariadb_url")
        variables["DATABASE_URL"] = services.create_database(server, "import_during_reads")
    site = Site.make(tmp_path, **variables)
    migrate(site)
    with site.web():
        yield site


@pytest.fixture
def importer(site: Site) -> Iterator[Dialogue]:
    """The importer process, after it has created the catalog with the old content."""
    with site.dialogue("from tests.catalog.importer_process import main; main()") as dialogue:
        assert dialogue.hear()["what"] == "ready"
        yield dialogue


def a_question(chance: Random) -> Question:
    some = chance.sample(OLD_KEYS + NEW_KEYS, 100)
    return Question(CATALOG, Kind.DIFF, chance.choice([OLD_KEYS, OLD_KEYS + NEW_KEYS, tuple(some), ()]))


def test_readers_are_answered_while_an_import_is_under_way(site: Site, importer: Dialogue) -> None:
    token = site.manage("issue_token", "--role", "enterprise_openedx_operator").strip()
    audience = Audience(site, token, a_question)

    with audience.asking(2, seed=0):
        wait_for_answers(audience, 2)
        began_at, written_at = time_of(importer.ask(), "began"), time_of(importer.hear(), "written")
        wait_for_answers(audience, MEANWHILE)
        released_at = time.monotonic()
        committed_at = time_of(importer.ask(), "committed")
        wait_for_answers(audience, 2)

    before = Change(what="before", started_at=0, committed_at=0, catalogs={CATALOG: items(OLD_KEYS, OLD_TIME)})
    after = {CATALOG: items(NEW_KEYS, NEW_TIME)}
    imported = Change(what="the import", started_at=released_at, committed_at=committed_at, catalogs=after)
    assert RecordedRun([before, imported]).faults(audience.answers) == []
    assert len({answer.version for answer in audience.answers}) == 2
    assert within(audience.answers, began_at, written_at) != []
    assert len(within(audience.answers, written_at, released_at)) >= MEANWHILE


def time_of(message: dict[str, object], what: str) -> float:
    """Return the time of a step that the importer reported; fail if it is another step than ``what``."""
    assert message["what"] == what
    assert isinstance(message["at"], float)
    return message["at"]


def wait_for_answers(audience: Audience, count: int) -> None:
    """Wait until ``count`` requests sent from now on are answered."""
    now = time.monotonic()
    wait_until(
        lambda: audience.is_over.is_set() or len(within(audience.answers, now, time.monotonic())) >= count,
        seconds=PATIENCE_SECONDS,
    )


def within(answers: Sequence[Answer], start: float, end: float) -> list[Answer]:
    """Return the answers whose whole request lies between two times."""
    return [answer for answer in answers if start < answer.sent_at and answer.received_at < end]


def items(keys: Sequence[str], moment: datetime) -> Items:
    """Return the items that a diff shows for a catalog of ``keys``."""
    return {key: Item(f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}", title="", enrollment_url="") for key in keys}
