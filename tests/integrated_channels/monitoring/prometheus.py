"""A real Prometheus that scrapes a site several times per second and evaluates the alert rules of ``deploy/``."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import yaml

from tests.processes import PROJECT, get_json, wait_until
from tests.services import PrivateServer, find_program, free_port, patience

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

MONITORING: Final = PROJECT / "deploy" / "monitoring"
RULES: Final = MONITORING / "alerts.yml"
DASHBOARD: Final = MONITORING / "dashboard.json"
JOB: Final = "enterprise-catalog"
#: Intervals of scrapes and of evaluations on an idle machine, in seconds. The first is also the time limit of a scrape.
_SCRAPE_INTERVAL: Final = 1.0
_EVALUATION_INTERVAL: Final = 0.2
_SECONDS: Final = 60
#: Scrapes before and after a change, so that Prometheus sees that it increased a counter.
SCRAPES: Final = 2


def rules() -> list[dict[str, Any]]:
    """Return the alert rules."""
    [group] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Yield the title and expression of each query of the dashboard, for all channels."""
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"].replace("$channel", ".*")


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready") as response:
            return bool(response.status == HTTPStatus.OK)
    except urllib.error.HTTPError:
        return False


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    url: str
    site: str  #: Host and port of the page that always responds.
    interval: float  #: Of scrapes, in seconds.

    @classmethod
    def start(
        cls, folder: Path, site: str, others: Iterable[str], *, interval_seconds: int | None = None
    ) -> tuple[Prometheus, PrivateServer]:
        """Start a server without history; return it with the object that stops it. Alerts fire without a delay.

        Args:
            site: host and port of a page to scrape.
            others: host and port of further pages, which may not respond.
            interval_seconds: of scrapes; also the time limit of a scrape. ``None`` for a second, and more on a busy
                machine.

        Raises:
            UnavailableError: Prometheus is not installed, or does not start.
        """
        program, port = find_program("prometheus"), free_port()
        seconds = interval_seconds or patience(_SCRAPE_INTERVAL)
        scrapes, evaluations = (f"{each * 1_000:.0f}ms" for each in (seconds, patience(_EVALUATION_INTERVAL)))
        immediate = [{key: value for key, value in rule.items() if key != "for"} for rule in rules()]
        files = {
            "alerts.yml": {"groups": [{"name": "all", "interval": evaluations, "rules": immediate}]},
            "prometheus.yml": {
                "global": {"scrape_interval": scrapes, "scrape_timeout": scrapes},
                "rule_files": ["alerts.yml"],
                "scrape_configs": [{"job_name": JOB, "static_configs": [{"targets": [site, *others]}]}],
            },
        }
        for name, content in files.items():
            (folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")
        options = {
            "config.file": folder / "prometheus.yml",
            "storage.tsdb.path": folder / "data",
            "web.listen-address": f"127.0.0.1:{port}",
        }
        command = [program, *(f"--{name}={value}" for name, value in options.items())]
        url = f"http://127.0.0.1:{port}"
        server = PrivateServer(command, port, folder, url)
        server.start()
        wait_until(lambda: _is_ready(url), seconds=_SECONDS, every=0.05)
        return cls(url, site, seconds), server

    def query(self, expression: str) -> list[Mapping[str, Any]]:
        """Return the current result of a PromQL expression: one entry per series, with ``metric`` and ``value``.

        Raises:
            HTTPError: the expression is invalid.
        """
        found = get_json(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
        result: list[Mapping[str, Any]] = found["data"]["result"]
        return result

    def query_range(self, expression: str, *, start: float, end: float) -> list[Mapping[str, Any]]:
        """Return the results from start to end, in seconds since 1970: series with ``metric`` and ``values``."""
        options = {"query": expression, "start": start, "end": end, "step": self.interval}
        found = get_json(f"{self.url}/api/v1/query_range?{urllib.parse.urlencode(options)}")
        result: list[Mapping[str, Any]] = found["data"]["result"]
        return result

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        return {alert["labels"]["alertname"] for alert in get_json(f"{self.url}/api/v1/alerts")["data"]["alerts"]}

    def wait_for_scrapes(self, number: int = SCRAPES) -> None:
        """Wait until all pages were scraped this many times more, and the rules were evaluated after that.

        Only the scrapes that the site responded to count: on a busy machine, some exceed their time limit.
        """
        counts = f'min(count_over_time(up{{job="{JOB}"}}[1h]))', f'sum_over_time(up{{instance="{self.site}"}}[1h])'
        goals = [(count, self._number(count) + number) for count in counts]
        wait_until(lambda: all(self._number(count) >= goal for count, goal in goals), seconds=_SECONDS, every=0.05)
        evaluated = "prometheus_rule_group_iterations_total"
        goal = self._own(evaluated) + 1
        wait_until(lambda: self._own(evaluated) >= goal, seconds=_SECONDS, every=0.05)

    def _number(self, expression: str) -> float:
        return sum(float(each["value"][1]) for each in self.query(expression))

    def _own(self, name: str) -> float:
        """Return a metric of Prometheus itself."""
        with urllib.request.urlopen(f"{self.url}/metrics") as page:
            lines = page.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{"))


def assert_fires(prometheus: Prometheus, *alerts: str) -> None:
    """Wait until these alerts fire; no other alert may fire then, or a few scrapes later."""
    try:
        wait_until(lambda: prometheus.firing() >= set(alerts), seconds=30)
    except AssertionError:
        assert prometheus.firing() == set(alerts)
    prometheus.wait_for_scrapes(1)
    assert prometheus.firing() == set(alerts)
