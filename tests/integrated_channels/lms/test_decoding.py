"""Decompression of responses within limits of size and memory."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.integrated_channels.exceptions import RetryableError
from enterprise_catalog.integrated_channels.lms import client as lms_client
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from enterprise_catalog.service_client import decoding
from enterprise_catalog.service_client.decoding import BodyError, TooLargeError, decode
from tests.integrated_channels.loopback_server import on_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

MIB: Final = 1024 * 1024
#: The most megabytes that a process may grow while it rejects a body: several times the limit of 16 MiB.
GROWTH_MB: Final = 100
#: Requests each path. Prints the errors, and the growth of the peak memory in megabytes.
PROGRAM: Final = """
import resource, sys
import django
django.setup()
from enterprise_catalog.integrated_channels.exceptions import SyncError
from enterprise_catalog.integrated_channels.lms.client import LMSClient

url, *paths = sys.argv[1:]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with LMSClient(url, private_addresses=True) as client:
    for path in paths:
        try:
            client.send("GET", path).json()
        except SyncError as error:
            print(type(error).__name__, error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def parts_of(body: bytes, size: int) -> Iterable[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def read(body: bytes, *, encoding: str = "gzip", limit: int = MIB, size: int = 1_000) -> bytes:
    return b"".join(decode(parts_of(body, size), encoding=encoding, limit=limit))


@given(
    st.binary(max_size=5_000), st.integers(1, 200), st.integers(1, 300), st.sampled_from(["gzip", "X-GZip", " gzip "])
)
def test_a_body_is_decompressed_in_whichever_parts_it_comes(body: bytes, times: int, size: int, encoding: str) -> None:
    assert read(gzip.compress(body * times), encoding=encoding, size=size) == body * times


@pytest.mark.parametrize("length", [0, 1, *range(64 * 1024 - 2, 64 * 1024 + 3), 128 * 1024, MIB - 1, MIB])
def test_a_body_that_ends_at_the_border_of_a_step_is_whole(length: int) -> None:
    body = bytes(length)

    assert read(gzip.compress(body), size=MIB) == body


@pytest.mark.parametrize("encoding", ["", "identity", "IDENTITY"])
def test_a_body_without_encoding_is_read_as_it_is(encoding: str) -> None:
    assert read(b"[1, 2]", encoding=encoding) == b"[1, 2]"


def test_an_empty_body_needs_no_gzip_header() -> None:
    assert read(b"") == b""


@pytest.mark.parametrize(
    "encoding", ["gzip, gzip", "gzip,identity", "deflate", "br", "zstd", "gzip, deflate, br", "compress", "zip"]
)
def test_other_encodings_and_several_of_them_are_refused_by_name(encoding: str) -> None:
    with pytest.raises(BodyError, match=rf"Content-Encoding '{encoding}'; only gzip is accepted"):
        read(gzip.compress(b"[]"), encoding=encoding)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>", "is not gzip"),
        (gzip.compress(b"[]", mtime=0)[:-9], "middle of its gzip"),
        (gzip.compress(b"[]", mtime=0)[:-8] + bytes(8), "is not gzip"),
        (zlib.compress(b"[]"), "is not gzip"),
    ],
)
def test_a_body_that_contradicts_its_header_is_rejected(body: bytes, reason: str) -> None:
    with pytest.raises(BodyError, match=reason):
        read(body)


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_the_limit_is_of_bytes_read_and_of_bytes_decompressed(encoding: str) -> None:
    small, large = bytes(MIB), bytes(MIB + 1)
    if encoding:
        small, large = gzip.compress(small), gzip.compress(large)

    assert len(read(small, encoding=encoding)) == MIB
    with pytest.raises(TooLargeError, match=r"larger than 1,048,576 bytes"):
        read(large, encoding=encoding)


def test_gzip_data_that_never_yields_anything_ends_at_the_limit() -> None:
    empty_blocks = gzip.compress(b"")[:10] + b"\x00\x00\x00\xff\xff" * MIB

    with pytest.raises(TooLargeError):
        read(empty_blocks)


def test_no_step_yields_more_than_its_bound() -> None:
    bomb = gzip.compress(bytes(50 * MIB))

    steps = decode([bomb], encoding="gzip", limit=100 * MIB)

    assert max(map(len, steps)) == decoding._STEP_BYTES


# --- the client -----------------------------------------------------------------------------------------------------


def test_the_client_offers_gzip_alone_and_reads_it() -> None:
    offered: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        offered.append(request.headers["accept-encoding"])
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=gzip.compress(b"[1]"))

    with LMSClient("http://lms.test", transport=httpx.MockTransport(answer)) as client:
        assert client.send("GET", "/").json() == [1]
    assert offered == ["gzip"]


def test_json_of_too_many_lists_and_objects_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lms_client, "MAX_JSON_CONTAINERS", 10)
    body = b"[" + b"[],{}," * 5 + b'"' + b"x" * MIB + b'"]'

    with (
        LMSClient(
            "http://lms.test", transport=httpx.MockTransport(lambda _: httpx.Response(200, content=body))
        ) as client,
        pytest.raises(RetryableError, match="more than 10 JSON lists and objects"),
    ):
        client.send("GET", "/").json()


def zeros(megabytes: int) -> bytes:
    compressor = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    return b"".join(compressor.compress(bytes(MIB)) for _ in range(megabytes)) + compressor.flush()


def hostile_responses() -> Mapping[str, tuple[Sequence[str], bytes, str]]:
    """Return path -> content encodings, body, and the start of the expected error."""
    bomb, nested = zeros(256), gzip.compress(zeros(256))
    lists = gzip.compress(b"[" + b"[]," * (5 * MIB) + b"0]")
    objects = gzip.compress(b"[" + b'{"":0},' * (2 * MIB) + b"0]")
    return {
        "/gzip": (["gzip"], bomb, "ResponseTooLargeError The response is larger than 16,777,216 bytes."),
        "/nested": (["gzip, gzip"], nested, "RetryableError The response has the Content-Encoding 'gzip, gzip'"),
        "/two-headers": (["gzip", "gzip"], nested, "RetryableError The response has the Content-Encoding 'gzip, gzip'"),
        "/lists": (["gzip"], lists, "RetryableError The LMS returned more than 500,000 JSON lists"),
        "/objects": (["gzip"], objects, "RetryableError The LMS returned more than 500,000 JSON lists"),
    }


def test_small_responses_cannot_take_much_memory() -> None:
    hostile = hostile_responses()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        encodings, body, _ = hostile[environ["PATH_INFO"]]
        start_response("200 OK", [("Content-Encoding", encoding) for encoding in encodings])
        return [body]

    with on_loopback(answer) as url:
        command = [sys.executable, "-c", PROGRAM, url, *hostile]
        done = subprocess.run(command, capture_output=True, text=True, check=True)

    *errors, growth = done.stdout.splitlines()
    assert len(errors) == len(hostile)
    assert all(text.startswith(error) for text, (_, _, error) in zip(errors, hostile.values(), strict=True)), errors
    assert int(growth) < GROWTH_MB
