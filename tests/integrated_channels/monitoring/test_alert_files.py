"""The alert rules and the configuration of Prometheus in ``deploy/monitoring/``, without a running Prometheus."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integrated_channels.monitoring.prometheus import MONITORING, RULES, rules
from tests.processes import PROJECT
from tests.services import find_program, or_skip


def test_each_alert_has_a_test() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_alerts_of_*.py"))

    assert [rule["alert"] for rule in rules() if f', "{rule["alert"]}")' not in source] == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_each_alert_says_how_urgent_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    how_to = (PROJECT / "docs" / "how-tos" / "monitor_the_fleet.rst").read_text(encoding="utf-8")

    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "description"}
    assert f"``{rule['alert']}``" in how_to


def test_prometheus_accepts_the_files() -> None:
    promtool = or_skip(lambda: find_program("promtool"))

    for command in (("rules", RULES), ("config", "--syntax-only", MONITORING / "prometheus.yml")):
        subprocess.run([promtool, "check", *command], check=True, capture_output=True)
