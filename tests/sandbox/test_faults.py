"""Injected faults affect the intended requests, and look like real failures to the client."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest
from werkzeug import Request, Response

from enterprise_catalog.sandbox.application import Operation, SandboxApplication, json_response
from enterprise_catalog.sandbox.faults import DRIPS, Fault, FaultKind, FaultQueue
from enterprise_catalog.sandbox.serving import HOST, make_loopback_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(kw_only=True, eq=False)
class Notebook(SandboxApplication):
    """A minimal vendor: each request stores its body; ``POST /list`` also returns all stored bodies as JSON."""

    notes: list[str] = field(init=False, default_factory=list)

    def route(self, request: Request) -> Operation:
        note, page = request.get_data(as_text=True), request.path.removeprefix("/")
        return Operation(page, lambda: self._write(note, page))

    def content(self) -> list[dict[str, object]]:
        return [{"note": note} for note in self.notes]

    def offered(self) -> dict[str, str]:
        return {str(page): note for page, note in enumerate(self.notes)}

    def channel_credentials(self) -> dict[str, str]:
        return {}

    def channel_settings(self) -> dict[str, object]:
        return {}

    def reset(self) -> None:
        super().reset()
        self.notes.clear()

    def _write(self, note: str, page: str) -> Response:
        self.notes.append(note)
        if page == "list":
            return json_response(self.notes)
        return Response("written down", status=201)


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def notebook(slept: list[float]) -> Notebook:
    return Notebook(faults=FaultQueue(sleep=slept.append))


@pytest.fixture
def client(notebook: Notebook) -> Iterator[httpx.Client]:
    with httpx.Client(transport=httpx.WSGITransport(app=notebook), base_url="http://notebook.test") as client:
        yield client


@contextmanager
def served(sandbox: SandboxApplication) -> Iterator[httpx.Client]:
    server = make_loopback_server(sandbox, port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with httpx.Client(base_url=f"http://{HOST}:{server.server_port}", timeout=10) as client:
            yield client
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def statuses(client: httpx.Client, path: str, *, times: int) -> list[int]:
    return [client.post(path, content="x").status_code for _ in range(times)]


def test_without_faults_requests_are_carried_out_and_counted(notebook: Notebook, client: httpx.Client) -> None:
    assert statuses(client, "/write", times=2) == [201, 201]

    assert notebook.notes == ["x", "x"]
    assert notebook.calls == {"write": 2}


def test_a_made_up_answer_leaves_the_request_undone(notebook: Notebook, client: httpx.Client) -> None:
    notebook.faults.add(Fault(kind=FaultKind.ANSWER, status=500, body='{"oops": 1}', content_type="application/json"))

    answer = client.post("/write", content="x")

    assert (answer.status_code, answer.json(), answer.headers["Content-Type"]) == (500, {"oops": 1}, "application/json")
    assert notebook.notes == []
    assert notebook.calls == {"write": 1}


@pytest.mark.parametrize("retry_after", ["7", "Mon, 30 Nov 2026 12:00:00 GMT", None])
def test_too_many_requests_with_and_without_retry_after(
    notebook: Notebook, client: httpx.Client, retry_after: str | None
) -> None:
    notebook.faults.add(Fault(kind=FaultKind.ANSWER, status=429, retry_after=retry_after))

    answer = client.post("/write", content="x")

    assert (answer.status_code, answer.headers.get("Retry-After")) == (429, retry_after)


def test_the_true_answer_can_be_replaced_by_one_that_is_not_json(notebook: Notebook, client: httpx.Client) -> None:
    notebook.faults.add(Fault(kind=FaultKind.REPLACE, status=200, body="<html>It works!</html>"))

    answer = client.post("/write", content="x")

    assert (answer.status_code, answer.text) == (200, "<html>It works!</html>")
    assert notebook.notes == ["x"]


@pytest.mark.parametrize(
    ("kind", "kept"), [(FaultKind.REFUSE, []), (FaultKind.DROP, ["x"]), (FaultKind.TRUNCATE, ["x"])]
)
@pytest.mark.parametrize("over_a_socket", [False, True])
def test_a_broken_connection_looks_the_same_on_either_road(
    notebook: Notebook, client: httpx.Client, kind: FaultKind, kept: list[str], *, over_a_socket: bool
) -> None:
    notebook.faults.add(Fault(kind=kind))

    if over_a_socket:
        with served(notebook) as socket_client, pytest.raises(httpx.RemoteProtocolError):
            socket_client.post("/write", content="x")
    else:
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/write", content="x")

    assert notebook.notes == kept


def test_after_a_broken_connection_the_next_request_gets_through(notebook: Notebook) -> None:
    notebook.faults.add(Fault(kind=FaultKind.DROP))

    with served(notebook) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/write", content="lost")

        assert client.post("/write", content="seen").status_code == 201


def test_a_cut_answer_ends_after_its_first_half(notebook: Notebook, client: httpx.Client) -> None:
    notebook.faults.add(Fault(kind=FaultKind.TRUNCATE))
    received: list[bytes] = []

    with client.stream("POST", "/write", content="x") as answer, pytest.raises(httpx.RemoteProtocolError):
        received.extend(answer.iter_bytes())

    assert answer.headers["Content-Length"] == str(len("written down"))
    assert b"".join(received) == b"writte"


def test_a_delay_comes_before_the_request_is_carried_out(
    notebook: Notebook, client: httpx.Client, slept: list[float]
) -> None:
    notebook.faults.add(Fault(kind=FaultKind.DELAY, delay_seconds=2.5))

    assert client.post("/write", content="x").status_code == 201

    assert slept == [2.5]


def test_an_answer_drips_in_parts_with_a_pause_before_each(
    notebook: Notebook, client: httpx.Client, slept: list[float]
) -> None:
    notebook.faults.add(Fault(kind=FaultKind.DRIP, delay_seconds=0.5))

    with client.stream("POST", "/list", content="x" * 100) as answer:
        parts = list(answer.iter_raw())

    assert (answer.status_code, answer.headers["Content-Length"]) == (200, "104")
    assert (len(parts), b"".join(parts)) == (DRIPS, b'["' + b"x" * 100 + b'"]')
    assert slept == [0.5] * DRIPS


def test_a_dripping_answer_is_whole_over_a_socket() -> None:
    notebook = Notebook(faults=FaultQueue(sleep=lambda _: None))
    notebook.faults.add(Fault(kind=FaultKind.DRIP))

    with served(notebook) as client:
        assert client.post("/list", content="x" * 100).json() == ["x" * 100]


@pytest.mark.parametrize(("kind", "answered"), [(FaultKind.SHORTEN, ["a"]), (FaultKind.LENGTHEN, ["a", "b", "b"])])
def test_a_list_has_one_element_too_few_or_too_many(
    notebook: Notebook, client: httpx.Client, kind: FaultKind, answered: list[str]
) -> None:
    client.post("/list", content="a")
    notebook.faults.add(Fault(kind=kind))

    assert client.post("/list", content="b").json() == answered

    assert notebook.notes == ["a", "b"]


@pytest.mark.parametrize("kind", [FaultKind.SHORTEN, FaultKind.LENGTHEN])
def test_an_answer_that_is_no_list_keeps_its_length(notebook: Notebook, client: httpx.Client, kind: FaultKind) -> None:
    notebook.faults.add(Fault(kind=kind))

    answer = client.post("/write", content="x")

    assert (answer.status_code, answer.text) == (201, "written down")


def test_a_delay_holds_no_other_request_up() -> None:
    delayed, gate = threading.Event(), threading.Event()

    def wait_at_the_gate(_: float) -> None:
        delayed.set()
        gate.wait(timeout=10)

    notebook = Notebook(faults=FaultQueue(sleep=wait_at_the_gate))
    notebook.faults.add(Fault(kind=FaultKind.DELAY, operation="slow"))
    with served(notebook) as client, ThreadPoolExecutor() as pool:
        slow = pool.submit(client.post, "/slow", content="slow")
        assert delayed.wait(timeout=10)
        client.post("/quick", content="quick")
        gate.set()
        assert slow.result().status_code == 201

    assert notebook.notes == ["quick", "slow"]


def test_a_fault_strikes_only_the_operations_it_names(notebook: Notebook, client: httpx.Client) -> None:
    notebook.faults.add(Fault(kind=FaultKind.ANSWER, operation="core_course_*", times=None))

    assert statuses(client, "/core_course_create_courses", times=1) == [503]
    assert statuses(client, "/CORE_course_create_courses", times=1) == [201]
    assert statuses(client, "/write", times=1) == [201]


def test_a_fault_skips_then_strikes_then_is_spent(notebook: Notebook, client: httpx.Client) -> None:
    notebook.faults.add(Fault(kind=FaultKind.ANSWER, skip=1, times=2))

    assert statuses(client, "/write", times=5) == [201, 503, 503, 201, 201]
    assert notebook.faults.armed() == []


def test_only_the_first_fault_that_matches_strikes(notebook: Notebook, client: httpx.Client) -> None:
    notebook.faults.set([Fault(kind=FaultKind.ANSWER, status=500), Fault(kind=FaultKind.ANSWER, status=502)])

    assert statuses(client, "/write", times=3) == [500, 502, 201]


def test_random_faults_are_the_same_for_the_same_seed() -> None:
    def struck(seed: int) -> list[bool]:
        queue = FaultQueue(seed=seed)
        queue.add(Fault(kind=FaultKind.DROP, times=None, probability=0.3))
        return [queue.take("write") is not None for _ in range(1000)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 250 < sum(struck(1)) < 350


@pytest.mark.parametrize(("probability", "expected"), [(0.0, 201), (1.0, 503)])
def test_probabilities_of_0_and_1_are_exact(
    notebook: Notebook, client: httpx.Client, probability: float, expected: int
) -> None:
    notebook.faults.add(Fault(kind=FaultKind.ANSWER, times=None, probability=probability))

    assert statuses(client, "/write", times=20) == [expected] * 20


def test_faults_are_set_over_http(notebook: Notebook, client: httpx.Client) -> None:
    notebook.faults.add(Fault(kind=FaultKind.DROP))
    fault = {"kind": "answer", "operation": "write", "status": 429, "retry_after": "1", "times": 2}

    answer = client.post("/_sandbox/faults", json=[fault])

    assert answer.status_code == 200
    assert answer.json() == client.get("/_sandbox/faults").json()
    assert notebook.faults.armed() == [
        Fault(kind=FaultKind.ANSWER, operation="write", status=429, retry_after="1", times=2)
    ]
    assert statuses(client, "/write", times=3) == [429, 429, 201]


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"{}",
        b'[{"status": 500}]',
        b'[{"kind": "explode"}]',
        b'[{"kind": "drop", "colour": "red"}]',
        b'[{"kind": "drop", "times": 0}]',
        b'[{"kind": "drop", "probability": 1.5}]',
        b'[{"kind": "answer", "status": 42}]',
    ],
)
def test_a_body_that_is_no_list_of_faults_changes_nothing(
    notebook: Notebook, client: httpx.Client, body: bytes
) -> None:
    notebook.faults.add(Fault(kind=FaultKind.DROP))

    answer = client.post("/_sandbox/faults", content=body)

    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert notebook.faults.armed() == [Fault(kind=FaultKind.DROP)]


def test_content_offers_calls_and_reset_over_http(notebook: Notebook, client: httpx.Client) -> None:
    notebook.faults.add(Fault(kind=FaultKind.DROP, operation="other"))
    client.post("/write", content="x")

    assert client.get("/_sandbox/content").json() == [{"note": "x"}]
    assert client.get("/_sandbox/offered").json() == {"0": "x"}
    assert client.get("/_sandbox/calls").json() == {"write": 1}
    assert client.post("/_sandbox/reset").status_code == 204
    assert client.get("/_sandbox/content").json() == []
    assert client.get("/_sandbox/calls").json() == {}
    assert notebook.faults.armed() == []


def test_control_pages_are_spared_and_not_counted(notebook: Notebook, client: httpx.Client) -> None:
    notebook.faults.add(Fault(kind=FaultKind.DROP, times=None))

    assert client.get("/_sandbox/content").status_code == 200
    assert client.get("/_sandbox/no-such-page").status_code == 404
    assert notebook.calls == {}
