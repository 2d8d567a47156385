"""No request body grows a server process by more than 300 MB, and each bad body gets the right error.

Runs a real gunicorn with one worker process and reads its memory from ``/proc``. Linux only.
"""

from __future__ import annotations

import http.client
import json
import re
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import UUID

import pytest

from tests.api.endpoints import KEY_LIMITS, address
from tests.migrated_database import migrate
from tests.processes import Service, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.processes, pytest.mark.long, pytest.mark.slow]

CATALOG: Final = UUID(int=1)
CUSTOMER: Final = UUID(int=2)
MAX_GROWTH_BYTES: Final = 300_000_000
FULL: Final = 64 * 2**20
DIFF: Final = "content-diff/"
_OPENING: Final = b'{"content_keys":['
_CLOSING: Final = b"]}"


@dataclass(frozen=True, slots=True)
class Server:
    """A web service with one worker process, and a token that may read its only catalog."""

    port: int
    pid: int
    token: str
    idle_bytes: int  #: Resident memory after a small request.

    @classmethod
    def watch(cls, service: Service, token: str) -> Self:
        assert service.port is not None
        for end in KEY_LIMITS:
            assert cls(service.port, 0, token, 0).post(end, b'{"content_keys":["edX+DemoX"]}')[0] == 200
        [pid] = service.children()  # It has answered: gunicorn listens before it starts a worker.
        return cls(service.port, pid, token, _memory(pid, "VmRSS"))

    def post(self, end: str, body: bytes) -> tuple[int, Any]:
        """POST ``body`` and return the status and the parsed JSON of the response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Authorization": f"JWT {self.token}", "Content-Type": "application/json"}
        connection.request("POST", address(CATALOG, end), body, headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, json.loads(content)

    def forget_peak(self) -> None:
        """Reset the kernel's record of peak memory (proc(5): ``clear_refs``)."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    def growth_bytes(self) -> int:
        """Return peak memory since :meth:`forget_peak`, minus memory when idle."""
        return _memory(self.pid, "VmHWM") - self.idle_bytes


def _memory(pid: int, name: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    match = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    assert match is not None
    return int(match[1]) * 1024


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site.make(tmp_path_factory.mktemp("memory"))
    migrate(site)
    line = {"content_key": "edX+DemoX", "key": "edX+DemoX", "content_type": "course", "title": "Demo"}
    file = site.folder / "content.jsonl"
    file.write_text(json.dumps(line) + "\n")
    site.manage("import_content", str(file), "--catalog-uuid", str(CATALOG), "--customer-uuid", str(CUSTOMER))
    return site


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[Server]:
    """One server process for all tests: memory that one request leaks counts in every later test."""
    token = site.manage("issue_token", "--role", "enterprise_openedx_operator:*").split()[-1]
    port = site.port
    command = (
        "gunicorn",
        "--bind",
        f"127.0.0.1:{port}",
        "--workers",
        "1",
        "--timeout",
        "300",
        "enterprise_catalog.wsgi",
    )
    service = Service(site, *command, port=port)
    service.start()
    try:
        yield Server.watch(service, token)
    finally:
        service.stop()


def keys(elements: bytes) -> bytes:
    """Return a body whose ``content_keys`` array holds ``elements``: JSON values separated by commas."""
    return _OPENING + elements.removesuffix(b",") + _CLOSING


def filled(element: bytes, *, size: int = FULL - 100) -> bytes:
    return keys(element * (size // len(element)))


def in_other_field(value: bytes) -> bytes:
    return b'{"other":' + value + b',"content_keys":[]}'


#: Name -> (body, expected status, text that the message must contain).
BODIES: Final[dict[str, tuple[Callable[[], bytes], int, str]]] = {
    "lists": (lambda: filled(b"[],"), 400, "content_keys[0] must be a string, not array."),
    "objects": (lambda: keys(b'{"":0},' * 8_000_000), 400, "content_keys[0] must be a string, not object."),
    "one-letter keys": (lambda: keys(b'"k",' * 15_000_000), 400, "at most 250,000"),
    "one-letter keys and a number": (lambda: keys(b"1," + b'"k",' * 15_000_000), 400, "content_keys[0] must be"),
    "keys of a backslash": (lambda: keys(rb'"\\",' * 12_000_000), 400, "at most 250,000"),
    "empty strings": (lambda: filled(b'"",'), 400, "content_keys[0] is empty."),
    "just too many keys": (lambda: keys(b'"%s",' % (b"k" * 255) * 250_001), 400, "at most 250,000"),
    "nested lists": (lambda: _OPENING + b"[" * (FULL - 100), 400, "content_keys[0] must be a string, not array."),
    "nested elsewhere": (lambda: b'{"other":' + b"[" * (FULL - 100), 400, "nested too deeply"),
    "a list as body": (lambda: b"[" + b"[]," * 22_000_000, 400, "must be a JSON object"),
    "one string": (
        lambda: keys(b'"\xe2\x82\xac%s"' % (b"k" * (FULL - 100))),
        400,
        "content_keys[0] is longer than 255",
    ),
    "one string of escapes": (lambda: keys(b'"%s"' % (rb"\n" * (FULL // 2 - 100))), 400, "[0] is longer than 255"),
    "one wide string": (lambda: keys(b'"a","\xf0\x9f\x98\x80%s"' % (b"k" * (FULL - 100))), 400, "[1] is longer"),
    "one wide string of escapes": (lambda: keys(rb'"\ud83d\ude00%s"' % (b"k" * (FULL - 100))), 400, "[0] is longer"),
    "one string elsewhere": (lambda: in_other_field(b'"\xf0\x9f\x98\x80%s"' % (b"k" * (FULL - 100))), 413, "memory"),
    "wide keys": (lambda: keys(b'"\xf0\x9f\x98\x80%s",' % (b"k" * 250) * 250_000), 413, "memory"),
    "wide keys of escapes": (lambda: keys(rb'"\ud83d\ude00%s",' % (b"k" * 250) * 250_000), 413, "memory"),
    "white space": (lambda: b" " * FULL, 400, "not JSON"),
    "a long number": (lambda: keys(b"1" * (FULL - 100)), 400, "content_keys[0] must be a string, not number."),
    "numbers elsewhere": (lambda: in_other_field(b"[" + b"1," * (FULL // 2 - 100) + b"1]"), 200, ""),
    "members": (
        lambda: b"{" + b",".join(b'"%d":0' % number for number in range(3_000_000)) + b',"content_keys":[]}',
        400,
        "at most 250,000",
    ),
    "full lists many times": (
        lambda: b"{" + b'"content_keys":[%s],' % (b'"k",' * 249_999 + b'"k"') * 60 + b'"content_keys":[]}',
        400,
        "at most 250,000",
    ),
    "the longest keys of spaces": (lambda: keys(b",".join(b'"%255d"' % n for n in range(250_000))), 200, ""),
}


#: All three endpoints share the parser. The other two get only the bodies that depend on their own limits and work.
CASES: Final = [
    *((DIFF, name) for name in BODIES),
    *((end, name) for end in ("content-metadata/", "generate_diff") for name in ("objects", "one-letter keys")),
    ("generate_diff", "the longest keys of spaces"),
]


@pytest.mark.parametrize(("end", "name"), CASES)
def test_a_body_takes_at_most_300_mb(server: Server, end: str, name: str) -> None:
    make, status, message = BODIES[name]
    body = make()
    server.forget_peak()

    answered, answer = server.post(end, body)

    assert answered == status, answer
    assert message.replace("250,000", f"{KEY_LIMITS[end]:,}") in str(answer)
    assert server.growth_bytes() < MAX_GROWTH_BYTES


@pytest.mark.parametrize("path", ["/integrated-channels/cornerstone/token", "/oauth2/access_token", "/admin/login/"])
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_login_takes_at_most_300_mb(server: Server, path: str, content_type: str) -> None:
    body = b"&grant_type=client_credentials" + b"&a" * (FULL // 2) if "form" in content_type else BODIES["lists"][0]()
    server.forget_peak()

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    # The service responds before it has read the whole body, so the connection may break while the client still sends.
    with closing(connection), suppress(ConnectionError):
        connection.request("POST", path, body, {"Content-Type": content_type})
        assert connection.getresponse().status in {400, 403, 413}

    assert server.growth_bytes() < MAX_GROWTH_BYTES
