"""The required end of every scenario: once failures stop, a few runs bring everything into order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from tests.integrated_channels.resilience.model.catalogs import TOO_LONG
from tests.integrated_channels.resilience.model.occurrences import note

if TYPE_CHECKING:
    from tests.integrated_channels.resilience.model.simulation import Simulation

#: The first run may hold deletes or find an existing course; the second run cannot.
MOST_RUNS: Final = 2
_MOST_KEY_LENGTH: Final = 100


def converge(simulation: Simulation) -> None:
    """Repair the LMS and the configuration, then check that the sync repairs everything else itself."""
    operators = simulation.operators
    operators.repair_site()
    operators.switch_on()
    operators.choose_all_catalogs()
    operators.set_right_category()
    operators.remove_run_limit()
    _come_to_rest(simulation)
    # A sync notices manual changes in the LMS only after the items are queued again.
    if _meddled_with(simulation):
        operators.send_again()
        _come_to_rest(simulation)
        assert not _meddled_with(simulation), "manual changes in the LMS were not repaired"


def _meddled_with(simulation: Simulation) -> set[str]:
    """Return the keys of items that can be sent and were changed by hand in the LMS."""
    return (simulation.moodle.table.tampered.keys() & simulation.catalogs.desired.keys()) - _refused(simulation)


def _come_to_rest(simulation: Simulation) -> None:
    for number in range(1, MOST_RUNS + 1):
        simulation.clock.forward(days=2)
        simulation.operators.approve()
        simulation.operators.delete_kept()
        simulation.operators.queue_again()
        simulation.sync()
        wrong = _wrong(simulation)
        if not wrong:
            note(f"right after {number}")
            break
    assert not wrong, f"still not right: {wrong}"
    calls = simulation.moodle.calls.total()
    simulation.sync()
    assert simulation.moodle.calls.total() == calls, "a run that has nothing to do called the LMS"


def _wrong(simulation: Simulation) -> list[str]:
    """Return a description of each item that is wrong or still waits for a decision."""
    desired, shown = simulation.catalogs.desired, simulation.moodle.shown
    rows = {row.content_key: row for row in ContentMetadataItemTransmission.objects.all()}
    refused = {key for key in _refused(simulation) if _has_reason(rows.get(key))}
    differing = {
        key
        for key in {*desired, *shown}
        if desired.get(key) != shown.get(key)
        and key not in simulation.moodle.table.tampered
        and not (key in desired and key in refused)
    }
    # Held deletes await approval, but a later run may carry them out if they are then within the limit.
    held = {key for key, row in rows.items() if row.state == State.HELD}
    return [
        f"{key} should be {desired.get(key)} and is {shown.get(key)}; {vars(rows[key]) if key in rows else 'no row'}"
        for key in differing | held
    ]


def _refused(simulation: Simulation) -> set[str]:
    """Return the keys of items that cannot be sent in their current form."""
    return {
        key
        for key, title in simulation.catalogs.titles.items()
        if not title or title.endswith(TOO_LONG) or len(key) > _MOST_KEY_LENGTH or simulation.moodle.is_blocked(key)
    }


def _has_reason(row: ContentMetadataItemTransmission | None) -> bool:
    """Return True if the row shows that the item is not sent, and the reason.

    Moodle returns the same error for a title that is too long and for a database lock. Such an item is retried first.
    """
    is_retried = row is not None and row.state == State.RETRYING and row.reason == "Moodle: Error writing to database"
    return row is not None and (is_retried or (row.state in (State.REJECTED, State.DEAD_LETTER) and bool(row.reason)))
