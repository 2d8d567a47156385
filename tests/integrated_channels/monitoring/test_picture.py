"""The picture of the dashboard in the documentation: its JSON, drawn with data of a real Prometheus."""

from __future__ import annotations

import math
import re
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from django.utils import timezone
from kombu import Connection

from enterprise_catalog.celery import app
from enterprise_catalog.integrated_channels.audit import events
from enterprise_catalog.integrated_channels.models import (
    ChannelConfiguration,
    ConfigurationStatus,
    ContentMetadataItemTransmission,
    Status,
)
from enterprise_catalog.integrated_channels.tasks import sync_configuration
from enterprise_catalog.sandbox.faults import Fault, FaultKind
from tests.admin_pages.browser import chromium
from tests.factories.catalog import CourseFactory, import_into
from tests.integrated_channels.monitoring.dashboard_page import Line, format_value, page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from django.test import Client

    from enterprise_catalog.catalog.models import EnterpriseCatalog
    from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
    from tests.integrated_channels.monitoring.prometheus import Prometheus

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]

#: Syncs while the fleet is healthy, while it is disturbed, and after that.
HEALTHY, DISTURBED, RECOVERED = 12, 9, 9
#: Of scrapes. A busy machine misses some of them, which leaves gaps.
INTERVAL_SECONDS: Final = 2
STOPPED: Final = 4
MAX_PICTURE_BYTES: Final = 300_000
_RANGE: Final = re.compile(r"\[(\d+)([mhd])\]")
_MINUTES: Final = {"m": 1, "h": 60, "d": 1_440}


class Fleet:
    """A fleet whose days last for seconds."""

    def __init__(self, synced: ChannelConfiguration, catalog: EnterpriseCatalog, client: Client) -> None:
        self.synced, self.catalog, self.client = synced, catalog, client
        others = ChannelConfiguration.objects.exclude(pk=synced.pk).order_by("pk")
        for position, code in enumerate(("CANVAS", "SAP", "DEGREED2")):
            chosen = [*others.values_list("pk", flat=True)[position * 4 : position * 4 + 4]]
            ChannelConfiguration.objects.filter(pk__in=chosen).update(channel_code=code)
        self.stopped = [*others.values_list("pk", flat=True)[:STOPPED]]
        self.late = [*others.values_list("pk", flat=True)[STOPPED : 3 * STOPPED : 2]]

    def change(self, number: int) -> None:
        """Change three courses, and sync in a Celery task."""
        import_into(self.catalog, [CourseFactory.build(key=f"New+{number}-{each}") for each in range(3)])
        sync_configuration.apply(args=(self.synced.pk,))
        ChannelConfiguration.objects.filter(pk=self.synced.pk).update(next_sync_at=timezone.now().replace(year=2100))
        self.client.get("/health/")

    def disturb(self) -> None:
        """Let LMSs reject the credentials of some configurations, and no worker sync some others in time."""
        now = timezone.now()
        due = now - timedelta(minutes=10)
        ChannelConfiguration.objects.filter(pk__in=self.late).update(freshness_goal_minutes=5, next_sync_at=due)
        events.check(now=now)
        ConfigurationStatus.objects.filter(pk__in=self.stopped).update(
            state=Status.FAILING, rank=Status.FAILING.rank, stop_cause="credentials", failing=25
        )

    def recover(self) -> None:
        """End the disturbance. Items that failed are due."""
        now = timezone.now()
        ChannelConfiguration.objects.filter(pk__in=self.late).update(next_sync_at=now.replace(year=2100))
        events.check(now=now)
        ContentMetadataItemTransmission.objects.filter(state="retrying").update(next_attempt_at=now)
        ConfigurationStatus.objects.filter(pk__in=self.stopped).update(
            state=Status.UP_TO_DATE, rank=Status.UP_TO_DATE.rank, stop_cause="", failing=0, matched=100
        )


def legend_of(labels: Mapping[str, str], legend: str) -> str:
    """Return a legend in Grafana's format, with the values of labels."""
    return re.sub(r"{{(\w+)}}", lambda match: labels.get(match[1], ""), legend)


def queries(prometheus: Prometheus, start: float, end: float) -> Callable[[str, str], list[Line]]:
    """Return a function that queries Prometheus; one scrape stands for a minute in the ranges of the expressions."""

    def shortened(match: re.Match[str]) -> str:
        return f"[{int(match[1]) * _MINUTES[match[2]] * prometheus.interval * 1_000:.0f}ms]"

    def query(expression: str, legend: str) -> list[Line]:
        expression = _RANGE.sub(shortened, expression.replace("$channel", ".*"))
        return [
            Line(
                legend_of(each["metric"], legend),
                {float(at): float(value) for at, value in each["values"] if math.isfinite(float(value))},
            )
            for each in prometheus.query_range(expression, start=start, end=end)
        ]

    return query


@pytest.mark.processes
@pytest.mark.soak
def test_the_documentation_shows_the_dashboard_of_a_healthy_and_a_disturbed_fleet(
    fleet: ChannelConfiguration,
    catalog: EnterpriseCatalog,
    moodle: MoodleSandbox,
    watch: Callable[..., Prometheus],
    client: Client,
    pictures: Path,
    tmp_path: Path,
) -> None:
    prometheus, scene = watch(interval_seconds=INTERVAL_SECONDS), Fleet(fleet, catalog, client)
    prometheus.wait_for_scrapes()
    start = timezone.now().timestamp()
    for number in range(HEALTHY + DISTURBED + RECOVERED):
        if number == HEALTHY:
            scene.disturb()
            moodle.faults.add(
                Fault(kind=FaultKind.ANSWER, operation="core_course_create_courses", times=1_000, status=503)
            )
        if HEALTHY <= number < HEALTHY + DISTURBED:
            with Connection(app.conf.broker_read_url) as broker:
                app.send_task("sync_configuration", (1,), connection=broker)
        if number == HEALTHY + DISTURBED:
            moodle.faults.clear()
            scene.recover()
            with Connection(app.conf.broker_read_url) as broker:
                app.control.purge(connection=broker)
        scene.change(number)
        time.sleep(INTERVAL_SECONDS)
    end = timezone.now().timestamp()
    (file := tmp_path / "dashboard.html").write_text(
        page(queries(prometheus, start, end), start=start, end=end), encoding="utf-8"
    )

    with chromium(file.as_uri(), viewport={"width": 1_152, "height": 800}) as browser:
        browser.goto(file.as_uri())
        for scheme, path in (("dark", tmp_path / "dashboard_dark.png"), ("light", pictures / "dashboard.png")):
            browser.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            browser.screenshot(path=path, full_page=True)
        titles = browser.locator("h2").all_inner_texts()
        empty = browser.locator("section", has_text="No data").locator("h2").all_inner_texts()

    assert len(titles) == len(set(titles))
    assert set(empty) <= {"Pauses per hour by cause", "Wait of tasks, 95 %", "Cached snapshots"}
    assert (pictures / "dashboard.png").stat().st_size < MAX_PICTURE_BYTES


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "s", "0 s"),
        (0.25, "s", "250 ms"),
        (90, "s", "1.5 min"),
        (90_000, "s", "1.04 d"),
        (0.5, "percentunit", "50 %"),
        (3.25, "reqps", "3.25 req/s"),
        (1_234, "short", "1.23 K"),
    ],
)
def test_values_have_grafanas_units(value: float, unit: str, text: str) -> None:
    assert format_value(value, unit) == text
