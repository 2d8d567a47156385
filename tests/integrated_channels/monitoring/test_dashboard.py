"""The dashboard and the alert rules use metrics and labels that the code registers, and a running site fills them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import pytest

from tests.factories.catalog import CourseFactory, import_into
from tests.integrated_channels.monitoring.conftest import run
from tests.integrated_channels.monitoring.prometheus import DASHBOARD, expressions, rules
from tests.observability.registered import counted, gauges, our_metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from enterprise_catalog.catalog.models import EnterpriseCatalog
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from tests.integrated_channels.monitoring.prometheus import Prometheus

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("sqlite")]

#: A metric and its label matchers, if any.
_SELECTOR: Final = re.compile(r"\b((?:channels|catalog|celery|django|metrics|up)(?:_\w+)?)\b(?:\{([^}]*)\})?")
_MATCHER: Final = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPING: Final = re.compile(r"\bby \(([^)]*)\)")
#: Labels that Prometheus adds, and the label of histograms' buckets.
_ADDED: Final = {"job", "instance", "le"}
#: Panels of what does not happen in a healthy fleet without Celery tasks and diffs.
_EMPTY: Final = {
    "Failures per minute by HTTP status",
    "Pauses per hour by cause",
    "Wait of tasks, 95 %",
    "Tasks per minute",
    "Cached snapshots",
}


def used() -> dict[str, str]:
    """Return title -> expression of all queries of the dashboard and of all rules."""
    queries = {f"{title} {number}": expression for number, (title, expression) in enumerate(expressions())}
    return queries | {rule["alert"]: rule["expr"] for rule in rules()}


def known() -> dict[str, set[str]]:
    return {"up": set(), **dict(counted()), **dict(gauges())}


def base_of(series: str, names: dict[str, set[str]]) -> str:
    """Return the metric of a series: a histogram has three series."""
    return series if series in names else re.sub("_(bucket|sum|count)$", "", series)


def test_each_metric_and_label_that_is_used_is_registered() -> None:
    names, problems = known(), []
    for title, expression in used().items():
        labels = set()
        for series, matchers in _SELECTOR.findall(expression):
            metric = base_of(series, names)
            if metric not in names:
                problems.append(f"{title}: {series} is not registered")
                continue
            labels |= names[metric]
            problems += [
                f"{title}: {metric} has no label {label}"
                for label in _MATCHER.findall(matchers)
                if label not in names[metric] | _ADDED
            ]
        grouped = {label.strip() for group in _GROUPING.findall(expression) for label in group.split(",")}
        problems += [f"{title}: no metric has the label {label}" for label in grouped - labels - _ADDED]

    assert problems == []


def test_each_metric_of_the_project_is_on_the_dashboard() -> None:
    names = our_metrics()
    shown = {base_of(series, names) for _, expression in expressions() for series, _ in _SELECTOR.findall(expression)}

    assert set(names) - shown == set()


def test_each_panel_shows_data_of_a_healthy_fleet(
    fleet: ChannelConfiguration, catalog: EnterpriseCatalog, watch: Callable[..., Prometheus], client: Client
) -> None:
    prometheus = watch()
    prometheus.wait_for_scrapes()
    import_into(catalog, [CourseFactory.build(key="Northwind+NEW")])
    run(fleet)
    client.get("/health/")
    prometheus.wait_for_scrapes()

    empty = {title for title, expression in expressions() if not prometheus.query(expression)}

    assert empty <= _EMPTY


def test_panels_do_not_overlap_and_have_ids_of_their_own() -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    cells = [
        (x, y)
        for each in panels
        if (at := each["gridPos"])
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len(cells) == len(set(cells))
    assert len({each["id"] for each in panels}) == len(panels)
    assert {x for x, _ in cells} <= set(range(24))
