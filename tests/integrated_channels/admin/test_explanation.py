"""The explanation at the top of a transmission's page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from enterprise_catalog.integrated_channels.admin.explanation import Explanation, explain
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ContentMetadataItemTransmission,
    RunState,
    SyncRun,
)
from tests.factories import DAY_ONE

HOUR = timedelta(hours=1)
IN_AN_HOUR = "2026-03-01 13:00 UTC"
AN_HOUR_AGO = "2026-03-01 11:00 UTC"
THERE: dict[str, Any] = {
    "presence": "present",
    "remote_created_at": DAY_ONE - 48 * HOUR,
    "content_updated_at": DAY_ONE - 24 * HOUR,
    "attempted_updated_at": DAY_ONE - 24 * HOUR,
}


def explained(
    last_run: SyncRun | None = None, *, active: bool = True, due: bool = False, **columns: Any
) -> Explanation:
    """Explain a row at ``DAY_ONE``. The next sync was due an hour ago or is due in an hour."""
    configuration = ChannelConfiguration(
        channel_code="MOODLE",
        enterprise_customer_uuid=UUID(int=7),
        active=active,
        next_sync_at=DAY_ONE + (-HOUR if due else HOUR),
    )
    row = ContentMetadataItemTransmission(configuration=configuration, content_key="Org+A", **columns)
    return explain(row, last_run=last_run, now=DAY_ONE)


@pytest.mark.parametrize(
    ("columns", "now", "prospect"),
    [
        pytest.param(
            {"state": "pending", "reason": "Planned: new in the catalogs."},
            "Not sent yet. Planned: new in the catalogs. The LMS does not have it.",
            f"The next sync, on {IN_AN_HOUR}, sends it.",
            id="pending",
        ),
        pytest.param(
            {"state": "in_doubt", "presence": "unknown", "reason": "Sent by a run that ended"},
            "In doubt. Sent by a run that ended. It is unknown whether the LMS has it.",
            f"The next sync, on {IN_AN_HOUR}, checks the LMS and sends it again if needed.",
            id="in doubt",
        ),
        pytest.param(
            {"state": "transmitted", "action": "update", **THERE},
            "In the LMS since 2026-02-27 12:00 UTC. The LMS has the version of 2026-02-28 12:00 UTC.",
            "Nothing to do until its content changes.",
            id="transmitted",
        ),
        pytest.param(
            {"state": "transmitted", "action": "update", **THERE, "attempted_updated_at": DAY_ONE, "reason": "Stopped"},
            "In the LMS since 2026-02-27 12:00 UTC. Stopped. The LMS has the version of 2026-02-28 12:00 UTC.",
            f"The next sync, on {IN_AN_HOUR}, brings it up to date.",
            id="update that was not its turn",
        ),
        pytest.param(
            {"state": "transmitted", "action": "delete", **THERE, "reason": "Not its turn."},
            "Left the catalogs and is still in the LMS. Not its turn. The LMS has the version of 2026-02-28 12:00 UTC.",
            f"The next sync, on {IN_AN_HOUR}, deletes it.",
            id="delete that was not its turn",
        ),
        pytest.param(
            {
                "state": "retrying",
                "action": "create",
                "attempts": 3,
                "next_attempt_at": DAY_ONE + HOUR,
                "reason": "503",
            },
            "Could not be created: 503. The LMS does not have it.",
            f"Tried 3 times. Next attempt on {IN_AN_HOUR}.",
            id="retrying",
        ),
        pytest.param(
            {"state": "retrying", "action": "delete", "attempts": 1, "next_attempt_at": DAY_ONE - HOUR, **THERE},
            "Could not be deleted. The LMS has the version of 2026-02-28 12:00 UTC.",
            f"Tried once. Next attempt in the next sync, on {IN_AN_HOUR}.",
            id="retry that is due",
        ),
        pytest.param(
            {"state": "rejected", "attempts": 3, "next_attempt_at": DAY_ONE + HOUR, "reason": "Too long."},
            "Rejected: Too long. The LMS does not have it.",
            f"Tried 3 times. Next attempt on {IN_AN_HOUR}, or when its content changes.",
            id="rejected",
        ),
        pytest.param(
            {"state": "deleted", "action": "delete", "remote_deleted_at": DAY_ONE - HOUR},
            f"Left the catalogs; deleted from the LMS on {AN_HOUR_AGO}.",
            "It is created again if it returns to the catalogs.",
            id="deleted",
        ),
        pytest.param(
            {"state": "deleted", "action": "delete", "reason": "Left the catalogs before it was sent."},
            "Not in the LMS. Left the catalogs before it was sent.",
            "It is created again if it returns to the catalogs.",
            id="withdrawn",
        ),
        pytest.param(
            {"state": "deleted", "action": "create", "remote_deleted_at": DAY_ONE - HOUR, "reason": "Not its turn."},
            "Returned to the catalogs and is not in the LMS yet. Not its turn.",
            f"The next sync, on {IN_AN_HOUR}, sends it.",
            id="back and not sent",
        ),
    ],
)
def test_each_state_is_described_in_words(columns: dict[str, Any], now: str, prospect: str) -> None:
    explanation = explained(**columns)

    assert (explanation.now, explanation.next) == (now, prospect)


def test_a_sync_that_is_due_is_shown_as_due() -> None:
    assert explained(state="pending", due=True).next == "The next sync, which is due now, sends it."


@pytest.mark.parametrize("state", ["pending", "retrying", "rejected", "transmitted", "deleted"])
def test_nothing_happens_next_while_the_configuration_is_switched_off(state: str) -> None:
    prospect = "Nothing will be sent: the configuration is inactive. Activate it to resume syncing."

    assert explained(state=state, active=False).next == prospect


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        (
            RunState.STOPPED,
            "Credentials refused",
            f"The last sync, on {AN_HOUR_AGO}, stopped: Credentials refused.",
        ),
        (RunState.ABANDONED, "Its worker ended.", f"The last sync, on {AN_HOUR_AGO}, was abandoned: Its worker ended."),
        (RunState.RUNNING, "", f"A sync has been running since {AN_HOUR_AGO}."),
    ],
)
def test_the_last_run_explains_why_nothing_was_sent(state: RunState, reason: str, expected: str) -> None:
    last_run = SyncRun(state=state, reason=reason, started_at=DAY_ONE - HOUR)

    assert explained(last_run, state="pending").next.endswith(expected)
    assert expected not in explained(last_run, state="deleted", action="delete").next


def test_a_run_that_went_to_its_end_explains_nothing() -> None:
    last_run = SyncRun(state=RunState.COMPLETE, started_at=DAY_ONE - HOUR)

    assert explained(last_run, state="pending") == explained(state="pending")
