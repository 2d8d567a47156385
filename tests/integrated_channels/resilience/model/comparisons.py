"""A plan from changes, compared with the plan from all items, in the state before a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from enterprise_catalog.integrated_channels.catalog_api.client import CatalogClient
from enterprise_catalog.integrated_channels.exceptions import ChangesUnavailableError, ConfigurationError
from enterprise_catalog.integrated_channels.models import RunState
from enterprise_catalog.integrated_channels.sync.plan_inputs import (
    MAX_UNSETTLED,
    PlanInputs,
    Synced,
    catalogs_to_send,
    load_changed_inputs,
    load_plan_inputs,
)
from tests.integrated_channels.resilience.model.occurrences import note

if TYPE_CHECKING:
    from datetime import datetime

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration


def check_plans(configuration: ChannelConfiguration, *, now: datetime) -> None:
    """Check that both plans and both numbers of items are equal, if a plan from changes is possible.

    After a run that died, a run compares all items: no checkpoint knows what the dead run has sent.
    """
    if configuration.synced_versions is None or configuration.runs.filter(state=RunState.RUNNING).exists():
        return
    synced = Synced(
        {UUID(catalog_uuid): version for catalog_uuid, version in configuration.synced_versions.items()},
        configuration.synced_items,
    )
    with CatalogClient() as catalog:
        catalogs = catalog.list_catalogs(configuration.enterprise_customer_uuid)
        try:
            current = {each: catalogs.versions[each] for each in catalogs_to_send(configuration, catalogs.uuids)}
        except ConfigurationError:
            return
        if current.keys() != synced.versions.keys():
            return
        try:
            changed, in_part = (
                load_changed_inputs(
                    configuration, catalog, synced=synced, current=current, unsettled=number, most_planned=1, now=now
                )
                for number in (0, MAX_UNSETTLED + 1)
            )
        except ChangesUnavailableError as error:
            note(f"no changes: {error.reason}")
            return
        of_all = load_plan_inputs(configuration, catalog, of_customer=catalogs.uuids, now=now)
    assert changed.plan() == of_all.plan()
    assert changed.synced == of_all.synced
    check_part(in_part, of_all)
    note("plans compared" if changed.untouched else "plans compared, all items touched")


def check_part(in_part: PlanInputs, of_all: PlanInputs) -> None:
    """Check that a plan with only some of the planned items equals the whole plan, without the others."""
    part, whole = in_part.plan(), of_all.plan()
    left_out = [item for item in whole.creates if item not in part.creates]
    creates = sorted([*part.creates, *left_out], key=lambda item: item.content_key)
    assert replace(part, creates=creates, postponed=0) == whole
    assert part.postponed == len(left_out)
    assert all(of_all.records[item.content_key].is_planned for item in left_out)
    assert in_part.synced == of_all.synced
    if left_out:
        note("a part of the planned items left out")
