"""Runs that fail because of a lost database connection or an error in the program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections

from enterprise_catalog.integrated_channels.audit import attempts
from enterprise_catalog.integrated_channels.models import ChannelConfiguration, RunState, SyncRun, TransmissionAttempt
from enterprise_catalog.integrated_channels.sync.engine import sync
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.factories.catalog import CatalogFactory
from tests.integrated_channels.syncing import row_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from enterprise_catalog.catalog.models import EnterpriseCatalog, EnterpriseCustomer
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def configuration(configure: Callable[..., ChannelConfiguration]) -> ChannelConfiguration:
    """A configuration that sends one item per chunk."""
    return configure(chunk_size=1)


@pytest.fixture(autouse=True)
def catalog(customer: EnterpriseCustomer) -> EnterpriseCatalog:
    """A catalog of three courses that the LMS does not have."""
    return CatalogFactory.create(courses=3, customer=customer)


def check_broken_run(configuration: ChannelConfiguration, clock: Clock, error: type[Exception], reason: str) -> None:
    """Check that a run fails with ``error``, records ``reason``, and leaves nothing in flight."""
    with pytest.raises(error):
        sync(configuration, clock=clock)

    run = SyncRun.objects.get()
    assert (run.state, run.reason) == (RunState.STOPPED, reason)
    assert not TransmissionAttempt.objects.filter(outcome="").exists()


def kill(thread: int) -> None:
    """Kill another connection to the database."""
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("KILL %s", [thread])
    other.close()


def test_what_an_error_in_the_program_leaves_in_flight_is_in_doubt(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> attempts.ChunkResults:
        monkeypatch.undo()
        raise ZeroDivisionError

    monkeypatch.setattr(attempts, "apply_results", fail)

    check_broken_run(configuration, clock, ZeroDivisionError, "Internal error: ZeroDivisionError. See the log.")
    assert TransmissionAttempt.objects.get().outcome == "in_doubt"
    assert run_of(configuration, clock).state == RunState.COMPLETE
    assert len(moodle.courses) == 3


@pytest.mark.only_on("mariadb")  # SQLite connections do not break.
def test_a_run_whose_database_connection_breaks_releases_its_lease_with_a_reason(
    configuration: ChannelConfiguration, moodle: MoodleSandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.ensure_connection()
    of_the_run = connection.connection.thread_id()
    monkeypatch.setattr(moodle.faults, "sleep", lambda _: kill(of_the_run))
    moodle.faults.add(Fault(kind=FaultKind.DELAY, operation="core_course_create_courses"))

    check_broken_run(configuration, clock, OperationalError, "The database did not respond.")
    assert run_of(configuration, clock).state == RunState.COMPLETE
    assert len(moodle.courses) == 3


@pytest.mark.only_on("mariadb")
def test_a_connection_that_breaks_after_a_commit_is_not_treated_as_in_a_transaction(
    configuration: ChannelConfiguration, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_attempts, commit = attempts.open_attempts, connection.commit

    def open_attempts_and_break(*arguments: Any, **keywords: Any) -> attempts.Attempts:
        if keywords["previous"] is not None:  # The second chunk; now the results of the first chunk are written.
            monkeypatch.setattr(connections[DEFAULT_DB_ALIAS], "commit", commit_and_break)
        return open_attempts(*arguments, **keywords)

    def commit_and_break() -> None:
        monkeypatch.undo()
        commit()
        kill(connection.connection.thread_id())

    monkeypatch.setattr(attempts, "open_attempts", open_attempts_and_break)

    check_broken_run(configuration, clock, OperationalError, "The database did not respond.")
    assert row_of("Northwind+C000000").state == "transmitted"
    assert run_of(configuration, clock).state == RunState.COMPLETE
