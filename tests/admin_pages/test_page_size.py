"""Pages with as many rows as they show have at most 120 KB of HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from enterprise_catalog.integrated_channels.audit import decisions
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.models import DecisionAction, OperationItem
from tests.admin_pages.crawler import MAX_BYTES, AdminCrawler, all_models, base_of
from tests.factories import DAY_ONE
from tests.factories.catalog import CatalogFactory
from tests.factories.channels import ConfigurationFactory, OperationFactory, RunFactory, TransmissionFactory
from tests.integrated_channels.pages import CONFIGURATIONS

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

ROWS: Final = 30  #: More than a list shows on one page.
KEYS: Final = [f"NorthwindUniversity+DATA{number:03}x" for number in range(ROWS)]
REASON: Final = "The LMS rejected the course: the field “fullname” is longer than this site allows for a course. " * 4
COUNTS: Final = {
    action: dict.fromkeys(("done", "rejected", "retry"), 1_000) for action in ("create", "update", "delete")
}
LEFT: Final = dict.fromkeys(("matched", "waiting", "dead", "held", "kept", "backlog"), 1_000)


def fill(configuration: ChannelConfiguration) -> None:
    """Save long rows in each table with a list of its own."""
    rows = TransmissionFactory.create_for_keys(KEYS, configuration=configuration, rejected=True, reason=REASON)
    decided = [decisions.DecidedItem(row.configuration_id, row.pk, row.content_key) for row in rows]
    decisions.record_items(decided, DecisionAction.KEEP_ITEMS, by="operator@example.org", now=DAY_ONE)
    for number in range(ROWS):
        ConfigurationFactory.create(display_name=f"Northwind University's Moodle, site {number}")
        RunFactory.create(configuration=configuration, stopped=True, reason=REASON, counts=COUNTS, **LEFT)
        OperationFactory.create(configuration=configuration, done=1_000, total=1_000)
        CatalogFactory.create(title=f"All courses that Northwind University bought in {2000 + number}", content=KEYS)
    operation = OperationFactory.create(configuration=configuration)
    for key in KEYS:
        OperationItem.objects.create(operation=operation, content_key=key, kind="create", details=REASON)


def test_full_lists_and_long_forms_are_small() -> None:
    fill(ConfigurationFactory.create(display_name="Northwind University's Moodle"))
    crawler = AdminCrawler("root", is_superuser=True)
    own = ("catalog", "integrated_channels")
    lists = [base_of(model) for model in all_models() if model._meta.app_label in own]
    forms = [f"{CONFIGURATIONS}{ConfigurationFactory.create(channel_code=code).pk}/change/" for code in CHANNELS]

    sizes = {address: len(crawler.look_at(address).content) for address in ("/admin/", *lists, *forms)}

    assert len(lists) > 10
    assert {address: size for address, size in sizes.items() if size > MAX_BYTES} == {}
