"""Long actions in Celery: results, progress, take-over, and stopped workers."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError, IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from kombu.exceptions import OperationalError

from enterprise_catalog.integrated_channels.audit import status
from enterprise_catalog.integrated_channels.models import (
    ConfigurationStatus,
    ContentMetadataItemTransmission,
    Decision,
    Operation,
    OperationItem,
    OperationKind,
)
from enterprise_catalog.integrated_channels.models.operations import MAX_SILENCE
from enterprise_catalog.integrated_channels.tasks import run_operation, start_operation, work
from enterprise_catalog.integrated_channels.tasks.progress import OperationLostError, Progress
from tests.factories.catalog import CatalogFactory, import_into
from tests.factories.channels import ConfigurationFactory, OperationFactory, TransmissionFactory
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


def carry_out(configuration: ChannelConfiguration, kind: OperationKind) -> Operation:
    """Start an operation, run its task, and return its row."""
    operation = start_operation(configuration, kind, by="ada", reason="A test.", now=timezone.now())
    run_operation(operation.pk)
    operation.refresh_from_db()
    return operation


def found(operation: Operation) -> list[tuple[str, str]]:
    return [*operation.found.order_by("content_key").values_list("kind", "content_key")]


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_operation, "delay", lambda _: None)


def test_a_preview_lists_what_the_next_run_does_and_sends_nothing(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    catalog = CatalogFactory.create(content=["A", "B"], customer=customer)
    run_of(configuration, clock)
    import_into(catalog, ["B", "C"], now=clock.now, replace=True)
    calls = moodle.calls.total()

    operation = carry_out(configuration, OperationKind.PREVIEW)

    assert (operation.state, operation.done, operation.total) == ("done", 2, 2)
    assert found(operation) == [("delete", "A"), ("create", "C")]
    assert operation.counts == {"delete": 1, "create": 1, "matched": 1}
    assert moodle.calls.total() == calls
    assert run_of(configuration, clock).counts == {"delete": {"done": 1}, "create": {"done": 1}}


def test_drift_is_listed_and_sent_again_items_repair_it(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer, moodle: MoodleSandbox, clock: Clock
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)
    moodle.reset()

    operation = carry_out(configuration, OperationKind.CHECK_DRIFT)

    assert found(operation) == [("missing", "A")]
    carry_out(configuration, OperationKind.RESEND_ALL)
    run_of(configuration, clock)
    assert list(moodle.offered()) == ["A"]
    assert found(carry_out(configuration, OperationKind.CHECK_DRIFT)) == []


def test_an_operation_that_cannot_be_carried_out_names_the_reason(
    configuration: ChannelConfiguration, customer: EnterpriseCustomer
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    type(configuration).objects.update(catalog_uuids=["99999999-9999-4999-8999-999999999999"])
    configuration.refresh_from_db()

    operation = carry_out(configuration, OperationKind.PREVIEW)

    assert operation.state == "failed"
    assert "99999999" in operation.message


def test_resending_continues_after_the_last_batch_of_a_killed_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "ROWS_PER_STATEMENT", 2)
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys("abcde", configuration=configuration, transmitted=True)
    operation = start_operation(configuration, OperationKind.RESEND_ALL, by="ada", reason="", now=timezone.now())
    long_ago = timezone.now() - MAX_SILENCE - timedelta(seconds=1)
    Operation.objects.update(state="running", position="b", done=2, started_at=long_ago, seen_at=long_ago)

    run_operation(operation.pk)

    operation.refresh_from_db()
    assert (operation.state, operation.done, operation.total) == ("done", 5, 5)
    pending = ContentMetadataItemTransmission.objects.filter(state="pending")
    assert [*pending.order_by("content_key").values_list("content_key", flat=True)] == ["c", "d", "e"]
    assert Decision.objects.get().decided_items.count() == 3


def test_a_batch_is_repeated_after_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys("abc", configuration=configuration, transmitted=True)
    errors, refresh = [DatabaseError(1213, "Deadlock found")], status.refresh

    def fails_at_first(*arguments: Any, **others: Any) -> None:
        if errors:
            raise errors.pop()
        refresh(*arguments, **others)

    monkeypatch.setattr(status, "refresh", fails_at_first)

    operation = carry_out(configuration, OperationKind.RESEND_ALL)

    assert (operation.state, operation.done, errors) == ("done", 3, [])
    assert Decision.objects.get().decided_items.count() == 3


def test_the_status_is_refreshed_once_for_all_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "ROWS_PER_STATEMENT", 2)
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys("abcde", configuration=configuration, transmitted=True)

    with CaptureQueriesContext(connection) as captured:
        carry_out(configuration, OperationKind.RESEND_ALL)

    written = [query["sql"] for query in captured if query["sql"].startswith("INSERT INTO") and "rank" in query["sql"]]
    assert len(written) == 1
    assert ConfigurationStatus.objects.get(pk=configuration.pk).behind == 5


def test_a_running_operation_is_not_begun_again() -> None:
    operation = OperationFactory.create(running=True, seen_at=timezone.now())

    run_operation(operation.pk)
    again = start_operation(operation.configuration, OperationKind.PREVIEW, by="bob", now=timezone.now())

    assert again == operation
    assert Operation.objects.get().state == "running"


def test_two_clicks_at_the_same_time_start_an_operation_once(configuration: ChannelConfiguration) -> None:
    both, started = threading.Barrier(2), []

    def click() -> None:
        try:
            both.wait(10)
            operation = start_operation(configuration, OperationKind.RESEND_ALL, by="ada", now=timezone.now())
            started.append(operation.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert started == [Operation.objects.get().pk] * 2
    assert Decision.objects.count() == 1


def test_the_database_refuses_a_second_unfinished_operation_and_no_finished_one() -> None:
    first = OperationFactory.create(waiting=True)
    OperationFactory.create_batch(2, configuration=first.configuration)
    OperationFactory.create(configuration=first.configuration, kind=OperationKind.ADOPT, running=True)

    with pytest.raises(IntegrityError):
        OperationFactory.create(configuration=first.configuration, running=True)


def test_a_stopped_operation_is_ended_when_it_is_started_again() -> None:
    stopped = OperationFactory.create(running=True)
    progress = Progress(stopped, timezone.now, reported_at=timezone.now())

    again = start_operation(stopped.configuration, OperationKind.PREVIEW, by="bob", now=timezone.now())

    stopped.refresh_from_db()
    assert (again.state, stopped.state) == ("waiting", "failed")
    assert stopped.message == "The worker stopped, and the action was started again."
    with pytest.raises(OperationLostError):
        progress.write(done=1)


def test_a_worker_that_was_replaced_writes_nothing_more() -> None:
    operation = OperationFactory.create(waiting=True)
    progress = Progress.begin(operation.pk, clock=timezone.now)
    assert progress
    Operation.objects.update(started_at=timezone.now())

    with pytest.raises(OperationLostError):
        progress.store([OperationItem(operation=operation, content_key="A", kind="create")])

    assert not OperationItem.objects.exists()


def test_an_unreachable_broker_ends_the_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_answer(_: int) -> None:
        raise OperationalError

    monkeypatch.setattr(run_operation, "delay", no_answer)

    operation = start_operation(ConfigurationFactory.create(), OperationKind.PREVIEW, by="ada", now=timezone.now())

    operation.refresh_from_db()
    assert operation.state == "failed"
    assert "message broker is unreachable" in operation.message
