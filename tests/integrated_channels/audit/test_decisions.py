"""The decision log: written with each change of an operator, in the same transaction, and never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from enterprise_catalog.integrated_channels.access.edits import delete_configuration
from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.audit.bulk import insert
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ConfigurationStatus,
    ContentMetadataItemTransmission,
    Decision,
    DecisionAction,
    DecisionItem,
)
from enterprise_catalog.integrated_channels.models.decisions import AppendOnlyError
from tests.factories import DAY_ONE
from tests.factories.channels import ConfigurationFactory, TransmissionFactory

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db


def keep_all(configuration: ChannelConfiguration) -> int:
    return decisions.decide_deletes(configuration.transmissions.all(), approved=False, by="ada", now=DAY_ONE)


def delete_all_kept(configuration: ChannelConfiguration) -> int:
    return decisions.delete_kept(configuration.transmissions.all(), by="ada", now=DAY_ONE)


def send_all_again(configuration: ChannelConfiguration) -> int:
    return decisions.queue_again(configuration.transmissions.all(), by="ada", now=DAY_ONE)


def decided_keys(decision: Decision) -> list[str]:
    return sorted(decision.decided_items.values_list("transmission__content_key", flat=True))


def test_an_approval_is_recorded_with_its_items_and_reason() -> None:
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys("ba", configuration=configuration, held=True)

    decisions.decide_deletes(
        configuration.transmissions.all(), approved=True, by="ada", reason="Contract ended.", now=DAY_ONE
    )

    decision = Decision.objects.get()
    assert (decision.configuration, decision.action) == (configuration, DecisionAction.APPROVE_DELETES)
    assert (decision.made_at, decision.made_by, decision.reason) == (DAY_ONE, "ada", "Contract ended.")
    assert (decision.items, decision.sample, decided_keys(decision)) == (2, ["a", "b"], ["a", "b"])


def test_each_configuration_gets_a_decision_of_its_own() -> None:
    first, second = ConfigurationFactory.create(), ConfigurationFactory.create()
    TransmissionFactory.create_for_keys("ab", configuration=first, held=True)
    TransmissionFactory.create_for_keys("c", configuration=second, held=True)
    TransmissionFactory.create_for_keys("d", configuration=second, transmitted=True)

    number = decisions.decide_deletes(
        ContentMetadataItemTransmission.objects.all(), approved=False, by="ada", now=DAY_ONE
    )

    assert number == 3
    assert [decided_keys(decision) for decision in Decision.objects.order_by("configuration")] == [["a", "b"], ["c"]]
    assert {*Decision.objects.values_list("action", flat=True)} == {DecisionAction.KEEP_ITEMS}


def test_approving_leaves_kept_items_alone_and_deleting_kept_items_leaves_held_ones() -> None:
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create(configuration=configuration, content_key="held", held=True)
    TransmissionFactory.create(configuration=configuration, content_key="kept", kept=True)
    rows = ContentMetadataItemTransmission.objects.of(configuration)

    approved = decisions.decide_deletes(configuration.transmissions.all(), approved=True, by="ada", now=DAY_ONE)
    after_approval = rows.get(content_key="kept").state
    deleted = decisions.delete_kept(rows, by="ada", now=DAY_ONE)

    assert (approved, after_approval, deleted) == (1, "kept", 1)
    assert [*Decision.objects.order_by("pk").values_list("action", "sample")] == [
        ("approve_deletes", ["held"]),
        ("delete_kept", ["kept"]),
    ]


def test_resuming_a_deleted_configuration_restores_it_for_good() -> None:
    configuration = ConfigurationFactory.create()
    delete_configuration(configuration, by="ada", now=DAY_ONE)

    decisions.resume(configuration, by="ada", now=DAY_ONE)
    decisions.pause(configuration, by="ada", now=DAY_ONE, reason="Holidays.")

    assert ChannelConfiguration.objects.not_deleted().get().pause_reason == "Holidays."


def test_a_decision_that_changes_nothing_is_not_recorded() -> None:
    TransmissionFactory.create(transmitted=True)

    assert decisions.queue_again(ContentMetadataItemTransmission.objects.all(), by="ada", now=DAY_ONE) == 0

    assert not Decision.objects.exists()


def test_an_item_sent_again_is_recorded_with_the_name_of_the_action() -> None:
    row = TransmissionFactory.create(dead_letter=True)

    decisions.queue_again(
        ContentMetadataItemTransmission.objects.all(), by="ada", now=DAY_ONE, action=DecisionAction.REQUEUE
    )

    assert row.decided_items.get().decision.action == DecisionAction.REQUEUE


def test_the_sample_is_bounded_and_the_items_are_not() -> None:
    TransmissionFactory.create_for_keys([f"k{number:02}" for number in range(30)], rejected=True)

    decisions.queue_again(ContentMetadataItemTransmission.objects.all(), by="ada", now=DAY_ONE)

    decision = Decision.objects.get()
    assert (decision.items, decision.decided_items.count(), len(decision.sample)) == (30, 30, 20)


def test_a_change_whose_decision_cannot_be_written_does_not_happen(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> None:
        raise DatabaseError("disk full")

    row = TransmissionFactory.create(held=True)
    monkeypatch.setattr(decisions, "insert", fails)

    with pytest.raises(DatabaseError):
        decisions.decide_deletes(row.configuration.transmissions.all(), approved=True, by="ada", now=DAY_ONE)

    row.refresh_from_db()
    assert (row.state, Decision.objects.count()) == ("held", 0)


def test_decisions_can_be_neither_changed_nor_deleted() -> None:
    row = TransmissionFactory.create(held=True)
    decisions.decide_deletes(row.configuration.transmissions.all(), approved=True, by="ada", now=DAY_ONE)
    decision, item = Decision.objects.get(), DecisionItem.objects.get()

    for change in (
        decision.save,
        decision.delete,
        item.save,
        item.delete,
        lambda: Decision.objects.update(made_by="eve"),
        Decision.objects.all().delete,
        DecisionItem.objects.all().delete,
    ):
        with pytest.raises(AppendOnlyError):
            change()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("decide", [keep_all, delete_all_kept, send_all_again])
def test_each_batch_of_items_is_a_transaction_with_a_decision(
    decide: Callable[[ChannelConfiguration], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration, number = ConfigurationFactory.create(), 0
    for state in ("held", "kept", "rejected"):
        keys = [f"{state}{each}" for each in range(5)]
        TransmissionFactory.create_for_keys(keys, configuration=configuration, **{state: True})
    monkeypatch.setattr(decisions, "ROWS_PER_STATEMENT", 2)

    with CaptureQueriesContext(connection) as captured:
        number = decide(configuration)

    assert number == 5
    assert [*Decision.objects.order_by("pk").values_list("items", flat=True)] == [2, 2, 1]
    assert sum(query["sql"].startswith("COMMIT") for query in captured) == 3 + 1  # The last one writes the status.


@pytest.mark.django_db(transaction=True)
def test_the_batches_before_an_error_stay_decided_and_the_status_shows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails_at_the_second(rows: Any) -> None:
        insert(rows)
        if Decision.objects.count() > 1:
            raise DatabaseError("disk full")

    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys("abcde", configuration=configuration, held=True)
    monkeypatch.setattr(decisions, "ROWS_PER_STATEMENT", 2)
    monkeypatch.setattr(decisions, "insert", fails_at_the_second)

    with pytest.raises(DatabaseError):
        keep_all(configuration)

    assert (configuration.transmissions.kept().count(), Decision.objects.get().items) == (2, 2)
    assert ConfigurationStatus.objects.get().held == 3


def test_commands_pause_with_a_reason_and_resume(capsys: pytest.CaptureFixture[str]) -> None:
    configuration = ConfigurationFactory.create()

    with pytest.raises(CommandError, match="a pause needs a --reason"):
        call_command("pause_channel", configuration=configuration.pk)
    call_command("pause_channel", configuration=configuration.pk, reason="Migration.")
    configuration.refresh_from_db()
    call_command("pause_channel", configuration=configuration.pk, resume=True)

    assert (configuration.active, configuration.pause_reason) == (False, "Migration.")
    assert capsys.readouterr().out == "paused\nresumed\n"
    assert [*Decision.objects.order_by("pk").values_list("action", "made_by")] == [
        ("pause", "a command"),
        ("resume", "a command"),
    ]


def test_commands_decide_on_selected_items_and_send_again_all_with_one_failure() -> None:
    configuration = ConfigurationFactory.create()
    TransmissionFactory.create_for_keys("ab", configuration=configuration, held=True)
    TransmissionFactory.create_for_keys("c", configuration=configuration, rejected=True, reason="No title.")
    TransmissionFactory.create_for_keys("d", configuration=configuration, rejected=True, reason="Too long.")

    call_command("decide_deletes", configuration=configuration.pk, approve=True, content_key=["a"], reason="Retired.")
    call_command("queue_again", configuration=configuration.pk, failure="No title")

    assert [*Decision.objects.order_by("pk").values_list("action", "sample", "reason")] == [
        ("approve_deletes", ["a"], "Retired."),
        ("send_again", ["c"], ""),
    ]
