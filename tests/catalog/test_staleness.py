"""No reader gets stale data, despite the service's in-memory caches.

Runs over HTTP on MariaDB with two service processes. A third process changes everything that a catalog depends on:
content (also through another catalog), membership, the catalog's query and owner, and the customer. ``STALENESS_SEED``
determines the changes; their timing relative to the requests depends on the machine. ``STALENESS_SECONDS`` makes a run
longer.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from tests import services
from tests.catalog.consistency import Answer, Change, Kind, Question, RecordedRun
from tests.catalog.http_readers import Audience, Reader
from tests.catalog.writer_process import CATALOGS, KEYS
from tests.migrated_database import migrate
from tests.processes import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.processes import Dialogue

pytestmark = [pytest.mark.processes, pytest.mark.slow]

SECONDS: Final = float(os.environ.get("STALENESS_SECONDS", "3"))
SEED: Final = int(os.environ.get("STALENESS_SEED") or random.randrange(10**6))
READERS: Final = 6

#: Minimum amounts for a meaningful test; on a slow machine the tests run longer instead of failing.
ENOUGH_CHANGES: Final = 60
ENOUGH_ANSWERS: Final = 300
ENOUGH_OVERLAPS: Final = 60
ENOUGH_PROMPT_QUESTIONS: Final = 25

UNKNOWN: Final = ("Nowhere+1", "Nowhere+2", "northwind+c001", "Northwind+C001 ")


@pytest.fixture(scope="module")
def site(mariadb_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two service processes with four threads each, which log the process of each response."""
    folder = tmp_path_factory.mktemp("staleness")
    log = f"--access-logfile {folder / 'answered'} --access-logformat '%(p)s %({{x-asked-after}}i)s'"
    site = Site.make(
        folder,
        DATABASE_URL=services.create_database(mariadb_url, "staleness"),
        API_THROTTLE_RATE="100000/second",
        GUNICORN_CMD_ARGS=f"--threads 4 {log}",
    )
    migrate(site)
    with site.web():
        yield site


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    """The token of a caller who may read all catalogs."""
    return site.manage("issue_token", "--role", "enterprise_openedx_operator").strip()


@pytest.fixture(scope="module")
def writer(site: Site) -> Iterator[Writer]:
    """The writer process, after it has created the catalogs."""
    print(f"STALENESS_SEED={SEED}")  # noqa: T201  (pytest shows it when a test fails)
    with site.dialogue(f"from tests.catalog.writer_process import main; main({SEED})") as dialogue:
        yield Writer(dialogue, [Change.from_json(dialogue.hear())])


@dataclass(frozen=True, slots=True)
class Writer:
    """The process that changes the catalogs, and the changes so far."""

    dialogue: Dialogue
    changes: list[Change]

    def change(self) -> Change:
        """Make one change; returns after the commit."""
        self.changes.append(Change.from_json(self.dialogue.ask()))
        return self.changes[-1]


def a_question(chance: random.Random) -> Question:
    """Return a random question: any kind, with all keys, some keys, no keys, or unknown keys."""
    kind = chance.choices((Kind.DIFF, Kind.DOCUMENTS, Kind.LISTING, Kind.CATALOG), weights=(8, 2, 2, 1))[0]
    some = tuple(chance.sample(KEYS, chance.randint(1, len(KEYS))))
    lists = {
        Kind.DIFF: [KEYS, some, (), UNKNOWN, (*some, *UNKNOWN, *some)],
        Kind.DOCUMENTS: [KEYS, some, UNKNOWN, (*some, *UNKNOWN)],
    }
    [catalog] = chance.choices(CATALOGS, weights=(4, 1, 1))
    return Question(catalog, kind, chance.choice(lists.get(kind, [()])))


def test_each_response_was_correct_at_some_time_during_its_request(site: Site, token: str, writer: Writer) -> None:
    audience, chance = Audience(site, token, a_question), random.Random(SEED)
    deadline = time.monotonic() + SECONDS

    with audience.asking(READERS, seed=SEED), Reader(site, token) as reader:
        while not audience.is_over.is_set() and (
            time.monotonic() < deadline or is_too_little(writer.changes, audience.answers)
        ):
            writer.change()
            # Nothing changes before this request is answered, so the answer has exactly the current version.
            audience.answers.append(reader.ask(Question(CATALOGS[0], Kind.CATALOG)))
            time.sleep(chance.choice([0, 0, 0.005, 0.05]))

    answers, recorded_run = audience.answers, RecordedRun(writer.changes)
    assert recorded_run.faults(answers) == [], f"STALENESS_SEED={SEED}"
    assert {answer.question.kind for answer in answers} == set(Kind)
    assert {answer.question.kind for answer in answers if answer.is_cached} == {Kind.LISTING, Kind.CATALOG}


def is_too_little(changes: list[Change], answers: list[Answer]) -> bool:
    """Return True if there are too few changes, answers or overlaps for a meaningful test."""
    if len(changes) < ENOUGH_CHANGES or len(answers) < ENOUGH_ANSWERS:
        return True
    return len(RecordedRun(changes).overlapping(answers)) < ENOUGH_OVERLAPS


def test_each_process_returns_a_change_as_soon_as_it_is_committed(site: Site, token: str, writer: Writer) -> None:
    answers, known = [], Question(CATALOGS[0], Kind.DIFF, KEYS)
    chance = random.Random(SEED)

    with ThreadPoolExecutor(READERS) as pool, contextlib.ExitStack() as stack:
        readers = [stack.enter_context(Reader(site, token)) for _ in range(READERS)]
        while len(prompt(site.folder)) < ENOUGH_PROMPT_QUESTIONS:
            writer.change()
            number, questions = str(len(writer.changes)), [known, *(a_question(chance) for _ in readers[1:])]
            asked = [
                pool.submit(reader.ask, question, **{"x-asked-after": number})
                for reader, question in zip(readers, questions, strict=True)
            ]
            answers += [each.result() for each in asked]

    assert RecordedRun(writer.changes).faults(answers) == [], f"STALENESS_SEED={SEED}"


def prompt(folder: Path) -> list[str]:
    """Return the numbers of the changes after which both processes received requests."""
    asked = defaultdict[str, set[str]](set)
    for line in (folder / "answered").read_text().splitlines():
        process, _, number = line.partition(" ")
        asked[number].add(process)
    return [number for number, processes in asked.items() if number.isdigit() and len(processes) == 2]
