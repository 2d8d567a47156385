"""Decisions of operators, each written to the decision log in the transaction that carries it out.

The admin, the API and the commands change the states of items only through these functions. Edits of configurations
(``access/``) record their decisions here. ``by`` is the name of the user or command; ``reason`` is the user's own text.
Both are only in the log: customers see the reasons of items.

Items are changed in batches of 1,000, each with a decision in a transaction of its own. So a run that writes its
results, or another user, never waits for more than one batch. After an error, the earlier batches stay changed;
another call changes the other items.
"""

from __future__ import annotations

from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Coalesce, Concat, Left

from enterprise_catalog.db import contention
from enterprise_catalog.db.row_updates import with_keys
from enterprise_catalog.integrated_channels.audit import leases, status
from enterprise_catalog.integrated_channels.audit.attempts import CHANGING_COLUMNS
from enterprise_catalog.integrated_channels.audit.bulk import ROWS_PER_STATEMENT, insert, update
from enterprise_catalog.integrated_channels.audit.runs import NO_CHECKPOINT
from enterprise_catalog.integrated_channels.domain import Action, Presence, State
from enterprise_catalog.integrated_channels.models import (
    MAX_MESSAGE_LENGTH,
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    Decision,
    DecisionAction,
    DecisionItem,
)
from enterprise_catalog.integrated_channels.models.decisions import MAX_NAME_LENGTH, sample_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from enterprise_catalog.integrated_channels.audit.leases import Lease
    from enterprise_catalog.integrated_channels.models.querysets import TransmissionQuerySet


class DecidedItem(NamedTuple):
    """One item of a decision."""

    configuration_id: int
    transmission_id: int
    content_key: str


def queue_again(
    transmissions: TransmissionQuerySet,
    *,
    by: str,
    now: datetime,
    reason: str = "",
    also_transmitted: bool = False,
    action: DecisionAction = DecisionAction.SEND_AGAIN,
    decision: Decision | None = None,
) -> int:
    """Queue failed items for the next run, without waiting for their retry delay; return the number of items.

    Safe during a run: if the run is about to record an item, the run's result replaces this change.

    Args:
        also_transmitted: also queue items that the LMS already has, in case they were changed there.
        action: the action's name in the decision log.
        decision: add the items to this decision, instead of writing a new one.
    """
    failed = transmissions.sendable_again(also_transmitted=also_transmitted)
    text = Concat(Value("Queued again by a user. Previous reason: "), Left("reason", MAX_MESSAGE_LENGTH // 2))
    changes: dict[str, object] = {"state": State.PENDING, "attempts": 0, "split_level": 0, "next_attempt_at": None}
    changes |= {"reason": text, "due_since": Coalesce("due_since", now)}
    return _change(failed, changes, action, by=by, now=now, reason=reason, decision=decision)


def decide_deletes(
    transmissions: TransmissionQuerySet, *, approved: bool, by: str, now: datetime, reason: str = ""
) -> int:
    """Approve the held deletes among ``transmissions`` for the next run, or keep the items; return their number.

    Items that were kept earlier stay kept; see :func:`delete_kept`. Safe during a run.
    """
    if approved:
        changes, action = _approved(now), DecisionAction.APPROVE_DELETES
    else:
        changes = {"state": State.KEPT, "reason": "Left the catalogs; kept by a user."}
        action = DecisionAction.KEEP_ITEMS
    return _change(transmissions.held(), changes, action, by=by, now=now, reason=reason)


def delete_kept(transmissions: TransmissionQuerySet, *, by: str, now: datetime, reason: str = "") -> int:
    """Approve the deletes of kept items for the next run, overriding the earlier decision; return their number."""
    action = DecisionAction.DELETE_KEPT
    return _change(transmissions.kept(), _approved(now), action, by=by, now=now, reason=reason)


def _approved(now: datetime) -> dict[str, object]:
    text = "Left the catalogs; its delete was approved by a user."
    return {"state": State.PENDING, "reason": text, "due_since": now}


def pause(configuration: ChannelConfiguration, *, by: str, now: datetime, reason: str) -> bool:
    """Deactivate a configuration; return False if it was inactive already. A run in progress continues to its end."""
    return _switch(configuration, active=False, by=by, now=now, reason=reason)


def resume(configuration: ChannelConfiguration, *, by: str, now: datetime, reason: str = "") -> bool:
    """Activate a configuration, and make its sync due; return False if it was active already."""
    return _switch(configuration, active=True, by=by, now=now, reason=reason)


def record_switch(configuration: ChannelConfiguration, *, by: str, now: datetime, reason: str = "") -> None:
    """Record that ``active`` was set. The caller saves it in the same transaction.

    Activating a deleted configuration restores it.
    """
    rows = ChannelConfiguration.objects.filter(pk=configuration.pk)
    if configuration.active:
        action = DecisionAction.RESUME
        rows.sync_at_once(now, paused_at=None, pause_reason="", deleted_at=None)
    else:
        action = DecisionAction.PAUSE
        rows.update(paused_at=now, pause_reason=reason)
    record(configuration, action, by=by, now=now, reason=reason)
    status.refresh([configuration.pk], now=now)


@transaction.atomic
def sync_now(
    configuration: ChannelConfiguration, *, by: str, now: datetime, reason: str = "", compare_all: bool = False
) -> bool:
    """Make the sync of an active configuration due; return False if it is inactive.

    The caller queues the sync after the commit. Without the queue, the scheduler finds it within seconds.

    Args:
        compare_all: the sync compares all items with the catalogs, and not only changed ones.
    """
    columns = {"full_comparison_requested_at": now} if compare_all else {}
    due = with_keys(ChannelConfiguration.objects.all(), [configuration.pk], active=True)
    if due.sync_at_once(now, **columns):
        record(configuration, DecisionAction.SYNC_NOW, by=by, now=now, reason=reason)
        return True
    return False


def record(
    configuration: ChannelConfiguration,
    action: DecisionAction,
    *,
    by: str,
    now: datetime,
    reason: str = "",
    items: int = 0,
    keys: Iterable[str] = (),
) -> Decision:
    """Write a decision about a configuration. The caller carries it out in the same transaction, or later in batches.

    Args:
        items: the number of items that the decision is about.
        keys: content keys of the first items.
    """
    return Decision.objects.create(
        configuration=configuration,
        action=action,
        made_at=now,
        made_by=by[:MAX_NAME_LENGTH],
        reason=reason[:MAX_MESSAGE_LENGTH],
        items=items,
        sample=sample_of(keys),
    )


def record_items(
    items: Sequence[DecidedItem], action: DecisionAction, *, by: str, now: datetime, reason: str = ""
) -> None:
    """Write one decision per configuration of ``items``. The caller changes the items in the same transaction."""
    of_configuration = itemgetter(0)
    for pk, group in groupby(sorted(items), key=of_configuration):
        decided, configuration = list(group), ChannelConfiguration(pk=pk)
        keys = [item.content_key for item in decided]
        decision = record(configuration, action, by=by, now=now, reason=reason, items=len(decided), keys=keys)
        _add(decided, decision)


@transaction.atomic
def _switch(configuration: ChannelConfiguration, *, active: bool, by: str, now: datetime, reason: str) -> bool:
    """Set ``active``; return False if the row already had the value."""
    rows = with_keys(ChannelConfiguration.objects.all(), [configuration.pk], active=not active)
    if not rows.update(active=active):
        return False
    record_switch(ChannelConfiguration(pk=configuration.pk, active=active), by=by, now=now, reason=reason)
    return True


def _change(
    rows: TransmissionQuerySet,
    changes: dict[str, object],
    action: DecisionAction,
    *,
    by: str,
    now: datetime,
    reason: str,
    decision: Decision | None = None,
) -> int:
    """Change the rows, and write the decisions, batch by batch; return the number of rows.

    Args:
        rows: the items to decide on; their states are checked again with each batch.
    """
    # Unordered: with an order, the database would not use the index on the state.
    candidates = sorted(rows.order_by().values_list("pk", "configuration", "state"))
    states, number = {state for _, _, state in candidates}, 0

    def change_batch(ids: Sequence[int], configurations: Collection[int]) -> int:
        with transaction.atomic():
            leases.lock(configurations)
            items = _change_items(ids, states, changes)
            changed = {item.configuration_id for item in items}
            # Before the decision is inserted: that locks the configuration for reading, and the update would wait for
            # other updates, which wait for this lock.
            with_keys(ChannelConfiguration.objects.all(), changed, active=True).make_due(now)
            if decision is None:
                record_items(items, action, by=by, now=now, reason=reason)
            else:
                _add(items, decision)
            status.refresh(changed, now=now)
        return len(items)

    with status.refreshed_once(lambda: now):
        for start in range(0, len(candidates), ROWS_PER_STATEMENT):
            batch = candidates[start : start + ROWS_PER_STATEMENT]
            ids, configurations = [pk for pk, _, _ in batch], {pk for _, pk, _ in batch}
            number += contention.retry(partial(change_batch, ids, configurations), seconds=contention.REQUEST_SECONDS)
    return number


def _change_items(ids: Sequence[int], states: Collection[str], changes: dict[str, object]) -> list[DecidedItem]:
    """Lock and change the rows with these primary keys that still have one of ``states``; return their items."""
    rows = with_keys(ContentMetadataItemTransmission.objects.order_by(), ids, state__in=states)
    # Whole rows: if an index had all columns, MariaDB would find the rows there, and lock others.
    items = [DecidedItem(row.configuration_id, row.pk, row.content_key) for row in rows.select_for_update()]
    ContentMetadataItemTransmission.objects.filter(pk__in=[item.transmission_id for item in items]).update(**changes)
    return items


def _add(items: Sequence[DecidedItem], decision: Decision) -> None:
    insert([DecisionItem(decision=decision, transmission_id=item.transmission_id) for item in items])


def adopt(
    configuration: ChannelConfiguration,
    remote_ids: Mapping[str, str],
    *,
    by: str,
    reason: str = "",
    lease: Lease,
    now: datetime,
) -> int:
    """Record that the LMS already has items that were never sent; return their number. The next run updates them.

    Args:
        remote_ids: content key -> the LMS's own id.
        by: name of the user or command, for the decision log.
        reason: the user's own text.
    """
    rows = ContentMetadataItemTransmission.objects.of(configuration)
    text = "Found in the LMS and adopted. The next run updates it."

    def adopt_part(part: Sequence[str]) -> None:
        # The checkpoint of the last complete run does not include these items.
        ChannelConfiguration.objects.filter(pk=configuration.pk).update(**NO_CHECKPOINT)
        known = set(rows.with_keys(part).values_list("content_key", flat=True))
        insert(
            [
                ContentMetadataItemTransmission(configuration=configuration, content_key=key, created_at=now)
                for key in part
                if key not in known
            ]
        )
        found = list(rows.with_keys(part))
        for row in found:
            row.state, row.action, row.presence = State.PENDING, Action.UPDATE, Presence.PRESENT
            row.remote_id, row.reason, row.due_since = remote_ids[row.content_key], text, row.due_since or now
            row.deleted_at = row.next_attempt_at = None
        update(found, columns=CHANGING_COLUMNS)
        items = [DecidedItem(configuration.pk, row.pk, row.content_key) for row in found]
        record_items(items, DecisionAction.ADOPT, by=by, now=now, reason=reason)

    leases.fenced_batches(sorted(remote_ids), adopt_part, lease=lease, now=now)
    return len(remote_ids)
