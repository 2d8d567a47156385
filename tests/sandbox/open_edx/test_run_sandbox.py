"""``run_sandbox --service OPEN_EDX``: content of a file, knobs, and wrong usage."""

from __future__ import annotations

import json
import signal
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from enterprise_catalog.sandbox.management.commands import run_sandbox
from enterprise_catalog.sandbox.open_edx import api
from enterprise_catalog.sandbox.open_edx.api import CLIENT_ID, CLIENT_SECRET
from enterprise_catalog.sandbox.serving import make_loopback_server
from tests.open_edx import course

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox

SAMPLES: Final = Path(api.__file__).parent
SERVICE: Final = ("run_sandbox", "--service=OPEN_EDX", "--port=0")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[OpenEdxSandbox]:
    """The sandboxes that were served; the command ends at once."""
    served: list[OpenEdxSandbox] = []

    def serve(sandbox: Any, *, port: int) -> Any:
        served.append(sandbox)
        return make_loopback_server(sandbox, port=port)

    monkeypatch.setattr(run_sandbox, "make_loopback_server", serve)
    monkeypatch.setattr(signal, "sigwait", lambda _: None)
    return served


def test_the_services_have_the_content_of_the_file(served: list[OpenEdxSandbox], tmp_path: Path) -> None:
    file = tmp_path / "content.jsonl"
    file.write_text(json.dumps(course("A+1", title="Line\u2028separator"), ensure_ascii=False) + "\n", encoding="utf-8")
    output = StringIO()

    options = (
        f"--data={file}",
        f"--data={SAMPLES}/sample_pathways.jsonl",
        f"--customers={SAMPLES}/sample_customers.json",
    )
    call_command(*SERVICE, *options, "--knob=accepts_any_token=1", stdout=output)

    announced = json.loads(output.getvalue())
    assert announced["service"] == "OPEN_EDX"
    assert announced["url"].startswith("http://127.0.0.1:")
    assert announced["credentials"] == {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    assert [record.key for record in served[0].documents.of_kind("course")] == ["A+1"]
    assert len(served[0].documents.of_kind("learnerpathway")) == 1
    assert [customer["slug"] for customer in served[0].customers.values()] == ["northwind-logistics"]
    assert served[0].accepts_any_token is True


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--service=UNKNOWN", "--port=0"), "no sandbox for the service 'UNKNOWN'; known names: OPEN_EDX."),
        (("--service=OPEN_EDX", "--port=0", "--data=missing.jsonl"), "missing.jsonl: "),
        (("--channel=MOODLE", "--port=0", "--data=missing.jsonl"), "--data is for a service only."),
        (("--channel=MOODLE", "--port=0", "--customers=x.json"), "--customers is for a service only."),
        (("--service=OPEN_EDX", "--port=0", "--customers=missing.json"), "missing.json: "),
        (("--channel=MOODLE", "--service=OPEN_EDX", "--port=0"), "not allowed with argument"),
        (("--port=0",), "one of the arguments --channel --service is required"),
    ],
)
def test_wrong_usage_is_explained(arguments: tuple[str, ...], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("run_sandbox", *arguments)
