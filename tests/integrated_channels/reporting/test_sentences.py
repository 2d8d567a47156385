"""The sentences about a row without a usable response of the catalog service."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    FeedItem,
    RunState,
    SyncRun,
)
from enterprise_catalog.integrated_channels.reporting.causes import Cause, find_cause
from enterprise_catalog.integrated_channels.reporting.facts import Rows, Source, gather
from enterprise_catalog.integrated_channels.reporting.sentences import Statement, state_cause
from tests.factories import DAY_ONE

HOUR = timedelta(hours=1)
IN_AN_HOUR = "2026-03-01 13:00 UTC"
AN_HOUR_AGO = "2026-03-01 11:00 UTC"
NEXT = f"The next sync, on {IN_AN_HOUR},"
THERE: dict[str, Any] = {
    "presence": "present",
    "remote_created_at": DAY_ONE - 48 * HOUR,
    "content_updated_at": DAY_ONE - 24 * HOUR,
    "attempted_updated_at": DAY_ONE - 24 * HOUR,
    "payload_hash": "5" * 64,
}
LEFT_OVER = {"state": RunState.INCOMPLETE, "backlog": 7, "finished_at": DAY_ONE - HOUR / 2}


def explained(
    last_run: SyncRun | None = None,
    *,
    active: bool = True,
    due: bool = False,
    is_running: bool = False,
    feed_item: FeedItem | None = None,
    **columns: Any,
) -> tuple[Cause, Statement]:
    """Explain a row at ``DAY_ONE``. The next sync was due an hour ago or is due in an hour."""
    configuration = ChannelConfiguration(
        channel_code="CSOD",
        enterprise_customer_uuid=UUID(int=7),
        active=active,
        next_sync_at=DAY_ONE + (-HOUR if due else HOUR),
    )
    row = ContentMetadataItemTransmission(
        configuration=configuration, content_key="Org+A", catalog_uuid=UUID(int=8), **columns
    )
    rows = Rows(row, last_run, attempts=(), feed_item=feed_item, is_running=is_running)
    facts = gather(configuration, rows, Source("Org+A", None), now=DAY_ONE)
    cause = find_cause(facts)
    return cause, state_cause(facts, cause)


def run(**columns: Any) -> SyncRun:
    return SyncRun(started_at=DAY_ONE - HOUR, **columns)


@pytest.mark.parametrize(
    ("columns", "cause", "sentence", "what_to_do"),
    [
        pytest.param(
            {"state": "pending", "reason": "Planned: new in the catalogs."},
            Cause.PLANNED,
            "It has not been sent yet. Planned: new in the catalogs.",
            f"{NEXT} sends it.",
            id="pending",
        ),
        pytest.param(
            {"state": "in_doubt", "presence": "unknown", "reason": "Sent by a run that ended"},
            Cause.IN_DOUBT,
            "It was sent, but the run ended before the LMS responded. The LMS may or may not have it.",
            f"{NEXT} checks the LMS, and sends it again if needed.",
            id="in doubt",
        ),
        pytest.param(
            {"state": "transmitted", "action": "update", **THERE},
            Cause.IN_LMS,
            "The LMS has the newest version, of 2026-02-28 12:00 UTC.",
            "Nothing to do until its content changes.",
            id="transmitted",
        ),
        pytest.param(
            {
                "state": "transmitted",
                "action": "update",
                **THERE,
                "attempted_updated_at": DAY_ONE,
                "due_since": DAY_ONE,
            },
            Cause.UPDATE_PENDING,
            "The LMS has the version of 2026-02-28 12:00 UTC; the catalog has the version of 2026-03-01 12:00 UTC.",
            f"{NEXT} updates it.",
            id="update that was not its turn",
        ),
        pytest.param(
            {"state": "pending", "action": "update", **THERE, "due_since": DAY_ONE, "reason": "Queued again by admin."},
            Cause.UPDATE_PENDING,
            "The LMS may have an older version. Queued again by admin.",
            f"{NEXT} updates it.",
            id="queued again",
        ),
        pytest.param(
            {"state": "pending", "action": "delete", **THERE, "reason": "Left the catalogs; approved by admin."},
            Cause.DELETE_APPROVED,
            "It is still in the LMS. Left the catalogs; approved by admin.",
            f"{NEXT} deletes it.",
            id="approved delete",
        ),
        pytest.param(
            {"state": "transmitted", "action": "delete", **THERE, "reason": "Not sent: stopped."},
            Cause.DELETE_PENDING,
            "It left the catalogs and is still in the LMS.",
            f"{NEXT} deletes it.",
            id="delete that was not its turn",
        ),
        pytest.param(
            {"state": "retrying", "attempts": 3, "next_attempt_at": DAY_ONE + HOUR, "reason": "503"},
            Cause.RETRYING,
            "It could not be created: 503. Tried 3 times.",
            f"Next attempt on {IN_AN_HOUR}. To try earlier, send it again.",
            id="retrying",
        ),
        pytest.param(
            {"state": "retrying", "action": "delete", "attempts": 1, "next_attempt_at": DAY_ONE - HOUR, **THERE},
            Cause.RETRYING,
            "It could not be deleted. Tried once.",
            f"Next attempt in the next sync, on {IN_AN_HOUR}. To try earlier, send it again.",
            id="retry that is due",
        ),
        pytest.param(
            {"state": "rejected", "attempts": 3, "next_attempt_at": DAY_ONE + HOUR, "reason": "The title is too long."},
            Cause.REJECTED_BY_CHANNEL,
            "Cornerstone cannot hold it: The title is too long.",
            "Correct the content at its source. It is sent when its content changes.",
            id="rejected without a call",
        ),
        pytest.param(
            {"state": "dead_letter", "action": "update", **THERE, "attempts": 10, "reason": "<h1>Bad &amp; ugly</h1>"},
            Cause.DEAD_LETTER,
            "It could not be updated; given up after 10 attempts: Bad & ugly.",
            "Fix the problem that the reason names, and queue it again. It is also sent when its content changes.",
            id="dead letter with HTML",
        ),
        pytest.param(
            {
                "state": "held",
                "action": "delete",
                **THERE,
                "reason": "Left the catalogs. 300 deletes exceed the limit.",
            },
            Cause.HELD,
            "It left the catalogs and is still in the LMS; its delete waits for approval."
            " Left the catalogs. 300 deletes exceed the limit.",
            "Approve the delete, or keep the item. It stays if it returns to the catalogs.",
            id="held",
        ),
        pytest.param(
            {"state": "kept", "action": "delete", **THERE, "reason": "Left the catalogs; kept by admin."},
            Cause.KEPT,
            "It left the catalogs, and a user decided to keep it in the LMS. Left the catalogs; kept by admin.",
            "Nothing to do. To delete it, approve its delete.",
            id="kept",
        ),
        pytest.param(
            {"state": "deleted", "action": "delete", "remote_deleted_at": DAY_ONE - HOUR, "deleted_at": DAY_ONE - HOUR},
            Cause.NOT_IN_CATALOG,
            f"It left the catalogs, and was deleted from the LMS on {AN_HOUR_AGO}.",
            "Nothing to do. It is created again if it returns to the catalogs.",
            id="deleted",
        ),
        pytest.param(
            {"state": "deleted", "action": "delete", "deleted_at": DAY_ONE},
            Cause.NOT_IN_CATALOG,
            "It left the catalogs before it was sent.",
            "To send it, add it to one of the catalogs that this configuration sends.",
            id="withdrawn",
        ),
    ],
)
def test_each_state_is_described_in_words(
    columns: dict[str, Any], cause: Cause, sentence: str, what_to_do: str
) -> None:
    found, statement = explained(run(state=RunState.COMPLETE), **columns)

    assert (found, statement.sentence, statement.what_to_do) == (cause, sentence, what_to_do)


@pytest.mark.parametrize(
    ("served_at", "sentence"),
    [
        (None, f"It has been in the feed since {AN_HOUR_AGO}. Cornerstone has not fetched it since."),
        (DAY_ONE, f"It has been in the feed since {AN_HOUR_AGO}. Cornerstone fetched it on 2026-03-01 12:00 UTC."),
    ],
)
def test_an_item_in_the_feed_waits_for_polls(served_at: Any, sentence: str) -> None:
    cause, statement = explained(
        state="staged", last_attempt_at=DAY_ONE - HOUR, feed_item=FeedItem(served_at=served_at)
    )

    assert (cause, statement.sentence) == (Cause.IN_FEED, sentence)


def test_a_sync_that_is_due_is_shown_as_due() -> None:
    _, statement = explained(state="pending", due=True)

    assert statement.what_to_do == "The next sync, which is due now, sends it."


@pytest.mark.parametrize("state", ["pending", "retrying", "rejected", "in_doubt", "dead_letter"])
def test_nothing_is_sent_while_the_configuration_is_inactive(state: str) -> None:
    cause, statement = explained(state=state, active=False)

    assert cause is Cause.INACTIVE
    assert statement.sentence == "Nothing is sent, because the configuration is inactive."


def test_an_item_in_the_lms_gets_no_changes_while_the_configuration_is_inactive() -> None:
    cause, statement = explained(state="transmitted", active=False, **THERE)

    assert cause is Cause.IN_LMS
    assert statement.what_to_do.startswith("The configuration is inactive, so later changes are not sent.")


@pytest.mark.parametrize(
    ("last_run", "cause", "sentence"),
    [
        (
            run(state=RunState.STOPPED, stop_cause="credentials", reason="Token expired"),
            Cause.CREDENTIALS,
            f"The last sync, on {AN_HOUR_AGO}, stopped, because the LMS rejects the credentials: Token expired.",
        ),
        (
            run(state=RunState.STOPPED, stop_cause="configuration", reason="No category 7."),
            Cause.CONFIGURATION,
            f"The last sync, on {AN_HOUR_AGO}, stopped, because the configuration does not fit the LMS: No category 7.",
        ),
        (
            run(state=RunState.STOPPED, stop_cause="throttled", reason="Rate limit exceeded."),
            Cause.THROTTLED,
            f"The last sync, on {AN_HOUR_AGO}, paused, because the LMS accepted no more calls: Rate limit exceeded.",
        ),
        (
            run(state=RunState.INCOMPLETE, stop_cause="budget", reason="calls: 2 in 60 seconds"),
            Cause.OUT_OF_CALLS,
            f"The last sync, on {AN_HOUR_AGO}, made as many calls as the LMS allows: calls: 2 in 60 seconds.",
        ),
        (
            run(state=RunState.STOPPED, stop_cause="unavailable", reason="3 calls in a row failed."),
            Cause.STOPPED,
            f"The last sync, on {AN_HOUR_AGO}, stopped before it was sent: 3 calls in a row failed.",
        ),
        (
            run(**LEFT_OVER),
            Cause.LEFT_OVER,
            "The last sync reached its limit before the turn of this item; 7 items were left over.",
        ),
        (
            run(state=RunState.ABANDONED, reason="Its worker ended."),
            Cause.PLANNED,
            f"It has not been sent yet. The last sync, on {AN_HOUR_AGO}, was abandoned: Its worker ended.",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, Cause) else "",
)
def test_the_last_run_explains_why_an_item_was_not_sent(last_run: SyncRun, cause: Cause, sentence: str) -> None:
    found, statement = explained(last_run, state="pending", due_since=DAY_ONE - HOUR)

    assert (found, statement.sentence) == (cause, sentence)
    assert explained(last_run, state="transmitted", **THERE)[0] is Cause.IN_LMS


def test_a_running_sync_may_still_send_the_item() -> None:
    cause, statement = explained(run(state=RunState.RUNNING), is_running=True, state="pending")

    assert cause is Cause.RUNNING
    assert statement.sentence == (
        f"A sync has been running since {AN_HOUR_AGO}, and has not recorded a result for it yet."
    )


def test_an_item_that_became_due_after_the_last_run_was_not_left_over() -> None:
    cause, _ = explained(run(**LEFT_OVER), state="pending", due_since=DAY_ONE)

    assert cause is Cause.PLANNED
