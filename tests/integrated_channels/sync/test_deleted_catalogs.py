"""Catalogs that the LMS of Open edX deletes: the channels remove their courses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from enterprise_catalog.catalog.lms.catalogs import delete_catalog
from enterprise_catalog.integrated_channels.models import RunState
from tests.factories.catalog import CatalogFactory
from tests.integrated_channels.syncing import run_of

if TYPE_CHECKING:
    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("is_named", [True, False])
def test_the_courses_of_a_deleted_catalog_leave_the_lms(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    clock: Clock,
    is_named: bool,
) -> None:
    catalog, other = (
        CatalogFactory.create(customer=customer, courses=2),
        CatalogFactory.create(customer=customer, content=["Kept"]),
    )
    if is_named:
        configuration.catalog_uuids = [str(catalog.pk), str(other.pk)]
        configuration.save()
    run_of(configuration, clock)
    assert len(moodle.offered()) == 3

    delete_catalog(catalog.pk, now=clock.now)
    run = run_of(configuration, clock)

    assert (run.state, run.counts) == (RunState.COMPLETE, {"delete": {"done": 2}})
    assert sorted(moodle.offered()) == ["Kept"]
