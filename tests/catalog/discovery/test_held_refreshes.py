"""Large changes: held, approved, rejected, and applied by a later refresh."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.catalog.discovery import records
from enterprise_catalog.catalog.discovery.filters import edit_filter
from enterprise_catalog.catalog.models import CatalogRefresh, RefreshChange, RefreshState
from tests.catalog.discovery.refreshes import discovery_query, members, refreshed, states
from tests.open_edx import course, courses

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_empty_response_changes_nothing(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(5))
    query = discovery_query()
    refreshed(query)
    open_edx.search_is_empty = True

    row = refreshed(query)

    assert row.state == RefreshState.HELD
    assert "finds nothing" in row.reason
    assert len(members(query)) == 5


def test_a_large_change_is_held_approved_and_then_applied(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(50))
    query = discovery_query()
    refreshed(query)
    open_edx.documents.remove([f"edX+C{number:04}" for number in range(30)])

    held = refreshed(query)

    assert (held.state, held.removed, held.added) == (RefreshState.HELD, 30, 0)
    assert "remove 30 of 50 items (60 %" in held.reason
    assert len(members(query)) == 50
    assert RefreshChange.objects.filter(refresh=held, kind="removed").count() == 30

    assert records.decide(held, approve=True, by="ada", reason="A partner left.", now=datetime.now(UTC))
    applied = refreshed(query)

    assert (applied.state, applied.removed) == (RefreshState.COMPLETE, 30)
    assert len(members(query)) == 20
    assert states([held]) == [RefreshState.APPROVED]


def reject(held: CatalogRefresh) -> None:
    assert records.decide(held, approve=False, by="ada", reason="Wrong.", now=datetime.now(UTC))


def test_a_rejected_change_is_not_held_again_unless_it_differs(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(50))
    query = discovery_query()
    refreshed(query)
    open_edx.documents.remove([f"edX+C{number:04}" for number in range(20)])
    held = refreshed(query)
    reject(held)

    again = refreshed(query)
    same_numbers = [*courses(50)[:1], *courses(50)[21:]]
    open_edx.documents.replace(same_numbers)
    other = refreshed(query)
    open_edx.documents.replace(courses(50)[20:])
    back = refreshed(query)

    assert (again.state, again.removed) == (RefreshState.REJECTED, 20)
    assert again.reason.startswith("The same change was rejected by ada on ")
    assert f"(refresh {held.pk})" in again.reason
    assert not again.changes.exists()
    assert (other.state, other.removed) == (RefreshState.HELD, 20)
    assert back.state == RefreshState.REJECTED
    assert states([other]) == [RefreshState.SUPERSEDED]
    assert len(members(query)) == 50


def test_a_rejected_change_can_be_approved_later(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(50))
    query = discovery_query()
    refreshed(query)
    open_edx.documents.remove([f"edX+C{number:04}" for number in range(20)])
    held = refreshed(query)
    reject(held)
    again = refreshed(query)

    assert not records.decide(again, approve=True, by="ada", reason="", now=datetime.now(UTC))
    assert records.decide(held, approve=True, by="ben", reason="", now=datetime.now(UTC))

    assert refreshed(query).state == RefreshState.COMPLETE
    assert len(members(query)) == 30


@pytest.mark.parametrize("event", ["complete refresh", "edited filter"])
def test_a_rejection_ends_with_a_complete_refresh_or_an_edit(open_edx: OpenEdxSandbox, event: str) -> None:
    everything = courses(50)
    open_edx.documents.put(everything)
    query = discovery_query()
    refreshed(query)
    open_edx.documents.replace([])
    reject(refreshed(query))
    if event == "complete refresh":
        open_edx.documents.replace(everything)
        assert refreshed(query).state == RefreshState.COMPLETE
        open_edx.documents.replace([])
    else:
        query.refresh_from_db()
        edit_filter(query, {"content_type": ["course"]}, now=datetime.now(UTC))
        query.save()

    assert refreshed(query).state == RefreshState.HELD


def test_an_approval_holds_for_its_items_only_and_only_once(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(50))
    query = discovery_query()
    refreshed(query)
    open_edx.documents.remove([f"edX+C{number:04}" for number in range(20)])
    held = refreshed(query)
    records.decide(held, approve=True, by="ada", reason="", now=datetime.now(UTC))

    open_edx.documents.remove([f"edX+C{number:04}" for number in range(20, 40)])
    more = refreshed(query)

    assert (more.state, more.removed) == (RefreshState.HELD, 40)

    open_edx.documents.put(courses(50)[20:])
    assert refreshed(query).state == RefreshState.COMPLETE
    assert len(members(query)) == 30
    assert states([more]) == [RefreshState.SUPERSEDED]

    open_edx.documents.put(courses(20))
    assert refreshed(query).state == RefreshState.HELD  # Twenty items return, which is not approved.


def test_a_rejected_change_is_not_applied(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put(courses(50))
    query = discovery_query()
    refreshed(query)
    open_edx.search_is_empty = True
    held = refreshed(query)

    assert records.decide(held, approve=False, by="ada", reason="", now=datetime.now(UTC))
    assert not records.decide(held, approve=False, by="ada", reason="", now=datetime.now(UTC))

    assert refreshed(query).state == RefreshState.REJECTED
    assert states([held]) == [RefreshState.REJECTED]
    assert len(members(query)) == 50


def test_an_edited_filter_is_applied_without_approval(open_edx: OpenEdxSandbox) -> None:
    open_edx.documents.put([*courses(30), *(course(f"edX+A{number}", level_type="Advanced") for number in range(20))])
    query = discovery_query()
    refreshed(query)
    query.refresh_from_db()
    edit_filter(query, {"content_type": "course", "level_type": "Advanced"}, now=datetime.now(UTC))
    query.save()

    row = refreshed(query)

    assert (row.state, row.removed) == (RefreshState.COMPLETE, 30)
