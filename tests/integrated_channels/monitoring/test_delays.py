"""The delays of the alert rules: pending before ``for:``, firing after it, and silent after a short disturbance.

``promtool test rules`` evaluates the rules that are delivered, on made-up series and in virtual time.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import pytest

from tests.integrated_channels.monitoring.prometheus import JOB, RULES, rules
from tests.services import find_program, or_skip

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    #: Whether each sample belongs to the disturbance -> the samples. ``None`` ends a series.
    Series = Callable[[Sequence[bool]], Sequence[float | None]]

SAMPLES_PER_MINUTE: Final = 2
#: Minutes without a disturbance before it, and after it.
HEALTHY: Final = 60
#: Minutes that an alert may deviate from its delay: versions of Prometheus count the samples of a range differently.
TOLERANCE: Final = 1
#: The alerts that are pending or firing, and those that ever were.
STATES: Final = "group by (alertname, alertstate) (ALERTS)"
EVER: Final = 'group by (alertname) (count_over_time(ALERTS{{alertstate="{state}"}}[1d]))'
_MINUTES: Final = {"m": 1, "h": 60}


def gauge(normal: float, disturbed: float | None) -> Series:
    return lambda timeline: [disturbed if is_disturbed else normal for is_disturbed in timeline]


def counter(normal: float, disturbed: float, *, after: float | None = None) -> Series:
    """Return a series that grows by these numbers per minute: before, in and after a disturbance."""

    def samples(timeline: Sequence[bool]) -> Sequence[float]:
        end = len(timeline) - list(reversed(timeline)).index(True)
        rates = [disturbed if is_disturbed else normal for is_disturbed in timeline[:end]]
        rates += [normal if after is None else after] * (len(timeline) - end)
        return list(accumulate(rate / SAMPLES_PER_MINUTE for rate in rates))

    return samples


def queue(growth: float) -> Series:
    """Return a series that grows by a number per minute while it is disturbed, and is 0 otherwise."""

    def samples(timeline: Sequence[bool]) -> Sequence[float]:
        length, lengths = 0.0, []
        for is_disturbed in timeline:
            length = length + growth / SAMPLES_PER_MINUTE if is_disturbed else 0
            lengths.append(length)
        return lengths

    return samples


@dataclass(frozen=True)
class Case:
    """One cause of an alert. Times are in minutes from the beginning of the disturbance."""

    alert: str
    series: Mapping[str, Series]
    holds_after: int = 0  #: Until the expression of the rule is true.
    short: int | None = None  #: Duration of a disturbance that is too short; ``None`` for a minute less than the delay.

    @property
    def delay(self) -> int:
        """The rule's ``for:``, in minutes; 0 without."""
        [text] = [rule.get("for", "0m") for rule in rules() if rule["alert"] == self.alert]
        return int(text[:-1]) * _MINUTES[text[-1]]

    @property
    def fires_after(self) -> int:
        """When the alert begins to fire."""
        return self.holds_after + self.delay


def _stopped(cause: str) -> dict[str, Series]:
    return {f'channels_configurations_stopped{{channel="MOODLE", cause="{cause}"}}': gauge(0, 1)}


def _items(state: str) -> dict[str, Series]:
    return {f'channels_items{{channel="MOODLE", state="{state}"}}': gauge(0, 1)}


CASES: Final = (
    Case("CatalogServiceDown", {f'up{{job="{JOB}", instance="one"}}': gauge(1, 0)}),
    Case(
        "CatalogServiceErrors",
        {
            'django_http_responses_total_by_status_total{status="200"}': counter(60, 60),
            'django_http_responses_total_by_status_total{status="500"}': counter(0, 60),
        },
        short=2,
    ),
    Case("MetricsIncomplete", {'metrics_source_up{source="queues"}': gauge(1, 0)}),
    Case("NoWorkers", {"channels_workers": gauge(2, 0)}),
    Case("SchedulerStopped", {"channels_scheduler_tick_age_seconds": gauge(5, 901)}),
    Case(
        "SchedulerStopped",
        {"channels_scheduler_tick_age_seconds": gauge(5, None), 'metrics_source_up{source="channels"}': gauge(1, 1)},
    ),
    Case("SyncsOverdue", {"channels_oldest_due_configuration_age_seconds": gauge(10, 1_801)}),
    Case("QueueGrowing", {'celery_queue_length{queue="sweep"}': queue(120)}, holds_after=15),
    Case("WorkersDie", {"channels_lease_takeovers_total": counter(0, 1)}, holds_after=2, short=1),
    Case("CredentialsRejected", _stopped("credentials")),
    Case("ConfigurationsInvalid", _stopped("configuration")),
    Case("LMSUnavailable", _stopped("unavailable")),
    Case("LMSUnavailable", _stopped("too_slow")),
    Case("CatalogUnreachable", _stopped("catalog")),
    Case("DeletesHeld", _items("held")),
    Case("DeadLetters", _items("dead_letter")),
    Case("RefreshesHeld", {"catalog_refreshes_held": gauge(0, 1)}),
    Case(
        "FleetStale",
        {
            'channels_configurations{channel="MOODLE", state="up_to_date"}': gauge(100, 80),
            'channels_configurations{channel="MOODLE", state="behind"}': gauge(0, 20),
        },
    ),
    Case("ItemsWaitTooLong", {'channels_oldest_due_item_age_seconds{channel="MOODLE"}': gauge(60, 86_401)}),
    Case("ConfigurationsLate", {'channels_configurations_late{channel="MOODLE"}': gauge(0, 1)}),
    Case(
        "FreshnessMissed",
        {
            # A wave of changes on time ends the disturbance.
            'channels_freshness_seconds_bucket{le="3600.0"}': counter(100, 0, after=1_000),
            **dict.fromkeys(
                ('channels_freshness_seconds_bucket{le="14400.0"}', 'channels_freshness_seconds_bucket{le="+Inf"}'),
                counter(100, 100, after=1_000),
            ),
        },
        holds_after=3,
        short=4,
    ),
    Case(
        "RefreshesFail",
        {
            'catalog_refreshes_total{state="complete"}': counter(1, 0),
            'catalog_refreshes_total{state="failed"}': counter(0, 10),
        },
        holds_after=6,
        short=4,
    ),
)


def _check(folder: Path, case: Case, disturbed: int, expected: Mapping[tuple[str, int], str]) -> None:
    """Let promtool evaluate expressions.

    Args:
        folder: for promtool's file.
        disturbed: duration of the disturbance, in minutes.
        expected: an expression, and minutes from the beginning of the disturbance -> labels of the only series of its
            result, or nothing if the result is empty.
    """
    promtool = or_skip(lambda: find_program("promtool"))
    phases = ((HEALTHY, False), (disturbed, True), (case.delay + 2 * HEALTHY, False))
    timeline = [is_disturbed for minutes, is_disturbed in phases for _ in range(minutes * SAMPLES_PER_MINUTE)]
    series = [
        {"series": name, "values": " ".join("stale" if value is None else f"{value:g}" for value in samples(timeline))}
        for name, samples in case.series.items()
    ]
    results = [
        {
            "expr": expression,
            "eval_time": f"{HEALTHY + minute}m",
            "exp_samples": [{"labels": labels, "value": 1}] if labels else [],
        }
        for (expression, minute), labels in expected.items()
    ]
    interval = f"{60 // SAMPLES_PER_MINUTE}s"
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": interval,
        "tests": [{"interval": interval, "input_series": series, "promql_expr_test": results}],
    }
    (file := folder / "test.yml").write_text(json.dumps(test), encoding="utf-8")  # JSON is also YAML.

    ended = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_each_alert_has_a_case() -> None:
    assert {case.alert for case in CASES} == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize(
    "case",
    [CASES[0], *(pytest.param(case, marks=pytest.mark.slow) for case in CASES[1:])],
    ids=lambda case: case.alert,
)
def test_an_alert_is_pending_before_its_delay_and_fires_after_it(tmp_path: Path, case: Case) -> None:
    states = {-TOLERANCE: "", case.fires_after + TOLERANCE: "firing"}
    if case.delay:
        states |= {case.holds_after + TOLERANCE: "pending", case.fires_after - TOLERANCE: "pending"}
    expected = {
        (STATES, minute): f'{{alertname="{case.alert}", alertstate="{state}"}}' if state else ""
        for minute, state in states.items()
    }

    _check(tmp_path, case, case.fires_after + HEALTHY, expected)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_does_not_fire_after_a_short_disturbance(tmp_path: Path, case: Case) -> None:
    disturbed = case.fires_after - TOLERANCE if case.short is None else case.short
    end = disturbed + case.delay + HEALTHY
    expected = {
        (EVER.format(state="firing"), end): "",
        (EVER.format(state="pending"), end): f'{{alertname="{case.alert}"}}' if case.delay else "",
        (STATES, end): "",
    }

    _check(tmp_path, case, disturbed, expected)
