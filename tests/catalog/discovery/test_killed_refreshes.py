"""Workers that are killed in the middle of a refresh, and workers that refresh the same query at the same time."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from enterprise_catalog.catalog.models import RefreshState
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from enterprise_catalog.sandbox.open_edx.api import CLIENT_ID, CLIENT_SECRET, OpenEdxSandbox
from tests import services
from tests.integrated_channels.loopback_server import on_loopback
from tests.migrated_database import migrate
from tests.open_edx import course
from tests.processes import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.processes import Dialogue

pytestmark = [pytest.mark.processes, pytest.mark.long]

#: The ordinary form continues until some refreshes were completed and some failed, up to the kills of the long form.
KILLS: Final = 20
KILLS_OF_A_SOAK: Final = 50
OUTCOMES: Final = frozenset({RefreshState.COMPLETE, RefreshState.FAILED})
COUNT: Final = 40
CODE: Final = "from tests.catalog.discovery.refresh_process import main; main()"


def generation(number: int) -> list[dict[str, Any]]:
    """Return the courses of a generation. Each differs from the one before it by two keys and all titles."""
    return [course(f"edX+C{key:04}", title=f"Generation {number}") for key in range(number, number + COUNT)]


def content(number: int) -> list[Any]:
    """Return what readers see of a generation."""
    return [[document["key"], document["title"]] for document in generation(number)]


@pytest.fixture
def open_edx() -> OpenEdxSandbox:
    return OpenEdxSandbox()


@pytest.fixture(params=[pytest.param("SQLite", marks=pytest.mark.slow), "MariaDB"])
def workers(request: pytest.FixtureRequest, tmp_path: Path, open_edx: OpenEdxSandbox) -> Iterator[Dialogue]:
    """The process that runs workers, on an empty database."""
    with on_loopback(open_edx) as url:
        environment = {
            "DISCOVERY_SERVICE_API_URL": f"{url}/api/v1",
            "OAUTH2_PROVIDER_URL": f"{url}/oauth2",
            "OAUTH2_CLIENT_ID": CLIENT_ID,
            "OAUTH2_CLIENT_SECRET": CLIENT_SECRET,
            # Two of three generations may be skipped, so that many keys change at once.
            "REFRESH_CHANGE_LIMIT_PERCENT": "200",
        }
        if request.param == "MariaDB":
            server = request.getfixturevalue("mariadb_url")
            environment["DATABASE_URL"] = services.create_database(server, "killed_refreshes")
        site = Site.make(tmp_path, **environment)
        migrate(site)
        with site.dialogue(CODE) as dialogue:
            yield dialogue


def test_kills_never_show_partial_content_and_the_next_refresh_completes(
    workers: Dialogue, open_edx: OpenEdxSandbox, pytestconfig: pytest.Config
) -> None:
    kills = KILLS_OF_A_SOAK if pytestconfig.getoption("--soak") else KILLS
    rng = random.Random(13)
    open_edx.documents.replace(generation(0))
    started = time.monotonic()
    workers.ask(workers=1, seconds=None)
    longest_seconds = 1.5 * (time.monotonic() - started)
    open_edx.faults.add(Fault(kind=FaultKind.ANSWER, operation="*/api/*", times=None, probability=0.05))
    open_edx.faults.add(Fault(kind=FaultKind.TRUNCATE, operation="*/api/*", times=None, probability=0.03))
    current, visible = 0, [content(0)]

    for kill in range(KILLS_OF_A_SOAK):
        if kill % 3 == 0:
            current += 1
            open_edx.documents.replace(generation(current))
        answer = workers.ask(workers=1, seconds=rng.uniform(0, longest_seconds))
        allowed = [visible[-1], content(current)]
        assert all(each in allowed for each in answer["seen"])
        visible.append(answer["seen"][-1])
        if kill + 1 >= kills and has_all_outcomes(visible, answer["states"]):
            break

    open_edx.faults.clear()
    last = workers.ask(workers=1, seconds=None)
    assert last["seen"][-1] == content(current)
    assert has_all_outcomes(visible, last["states"])


def has_all_outcomes(visible: list[list[Any]], states: list[str]) -> bool:
    """Return True if some refreshes that may be killed were completed, and some refreshes failed."""
    return len({str(each) for each in visible}) > 3 and OUTCOMES.issubset(states)


def test_workers_that_refresh_the_same_query_do_no_harm(workers: Dialogue, open_edx: OpenEdxSandbox) -> None:
    before: list[Any] = []

    for number in range(1, 6):
        open_edx.documents.replace(generation(number))

        outcome = workers.ask(workers=3, seconds=None)

        assert all(each in (before, content(number)) for each in outcome["seen"])
        assert outcome["seen"][-1] == content(number)
        assert outcome["states"] == [RefreshState.COMPLETE]
        before = content(number)
