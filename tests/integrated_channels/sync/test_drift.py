"""Drift reports of every channel that can list items, with unusual texts and large sites."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import orjson
import pytest

import enterprise_catalog
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.lms.client import MAX_RESPONSE_BYTES
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.sync.drift import DriftReport, check_drift
from enterprise_catalog.sandbox.moodle.courses import Course
from enterprise_catalog.sandbox.moodle.web_service import REST_PAGE
from enterprise_catalog.sandbox.registry import SANDBOXES
from tests.factories.catalog import CatalogFactory, CourseFactory
from tests.factories.channels import ConfigurationFactory
from tests.integrated_channels.loopback_server import on_loopback
from tests.integrated_channels.syncing import run_of
from tests.sandbox.moodle.client import control

if TYPE_CHECKING:
    from enterprise_catalog.catalog.models import EnterpriseCustomer
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)

SAMPLE: Final = Path(enterprise_catalog.__file__).parent / "catalog" / "sample_catalog.jsonl"
AWKWARD: Final = (
    "R&D",
    "R&amp;D &lt;live&gt;",
    "a < b > c <3",
    "<b>Bold</b> & \"quoted\" 'text'",
    "Daten für alle 漢字 العربية",
    "🎓👩🏽‍🔬 emoji",
    "No\u00a0break\u2009space",
    "  spaces   inside \t and\naround  ",
    "T" * 300,
)
#: Settings that lift the vendor's rate limit. The test clock never moves past a rate-limit window.
UNLIMITED: Final[dict[str, dict[str, Any]]] = {"DEGREED2": {"calls_per_minute": None}}


@pytest.mark.parametrize("code", [code for code, channel in CHANNELS.items() if channel.can_list])
def test_no_text_is_a_difference_after_a_sync(code: str, customer: EnterpriseCustomer, clock: Clock) -> None:
    documents = [orjson.loads(line) for line in SAMPLE.read_bytes().splitlines()]
    titled = [
        CourseFactory.build(key=f"Awkward+{n}", title=text, short_description=text) for n, text in enumerate(AWKWARD)
    ]
    CatalogFactory.create(content=[*documents, *titled], customer=customer)
    sandbox = SANDBOXES[code]()
    with on_loopback(sandbox) as url:
        configuration = ConfigurationFactory.create(
            channel_code=code,
            enterprise_customer_uuid=customer.pk,
            base_url=url,
            settings={**sandbox.channel_settings(), **UNLIMITED.get(code, {})},
            sandbox=sandbox,
        )
        run_of(configuration, clock)
        transmitted = ContentMetadataItemTransmission.objects.of(configuration).filter(state=State.TRANSMITTED)
        assert transmitted.count() >= len(AWKWARD) + 50

        assert check_drift(configuration, clock=clock) == DriftReport([], 0)


def test_a_site_whose_list_exceeds_the_size_limit_is_listed_in_parts(
    configuration: ChannelConfiguration,
    customer: EnterpriseCustomer,
    moodle: MoodleSandbox,
    moodle_url: str,
    clock: Clock,
) -> None:
    CatalogFactory.create(content=["A"], customer=customer)
    run_of(configuration, clock)
    for number in range(9_280):
        name = f"Theirs {number}"
        moodle.table.add(Course(shortname=name, fullname=name, idnumber=name, summary="s" * 1_500, categoryid=1))
    whole = httpx.post(f"{moodle_url}/{REST_PAGE}", data=control("core_course_get_courses"), timeout=60)
    assert len(whole.content) > MAX_RESPONSE_BYTES
    moodle.calls.clear()

    report = check_drift(configuration, clock=clock)

    assert (report.differences, report.others) == ([], 9_280)
    assert moodle.calls["core_course_get_courses"] < 100
