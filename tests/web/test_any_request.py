"""Fuzzing: any bytes to any URL, with and without a token, cause neither a 500 nor an exception.

The URLs come from the URL configuration, so new endpoints are covered automatically.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test.client import FakePayload, RequestFactory
from django.urls import URLPattern, get_resolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enterprise_catalog.local_auth.tokens import signed_token
from enterprise_catalog.sandbox.cornerstone.portal import CornerstoneSandbox
from enterprise_catalog.web.handler import Handler
from tests.factories.catalog import CatalogFactory
from tests.factories.channels import ConfigurationFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.urls import URLResolver

pytestmark = pytest.mark.django_db

METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
APPLICATION: Final = Handler()
KNOWN: Final = UUID(int=7)  #: The UUID of the only catalog.
#: The health check: the only endpoint that may return 503.
MAY_ANSWER_503: Final = "/health/"


def routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """Yield each pattern's route, such as ``/api/v1/enterprise-catalogs/<uuid:uuid>/content-diff/``."""
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from routes(pattern, route)


def as_form(value: dict[str, Any]) -> bytes:
    return "&".join(f"{name}={part}" for name, part in value.items()).encode("utf-8", "surrogatepass")


ROUTES: Final = sorted(set(routes(get_resolver(), "/")))
_PARAMETER: Final = re.compile(r"<(?:(\w+):)?\w+>|\(\?P<\w+>[^)]*\)")

noise = st.binary(max_size=12)
bytes_in_text = noise.map(lambda raw: raw.decode("latin-1"))
nested = st.sampled_from([b"[" * 5_000, b'{"a":' * 5_000, b'{"grant_type":' * 5_000])
texts = st.text(max_size=6) | st.sampled_from(["\ud800", "\x00", "client_credentials", "k" * 300, "*", "-1"])
values = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.lists(texts, max_size=2)
FIELDS: Final = (
    *("content_keys", "grant_type", "client_id", "client_secret", "scope", "username", "password", "next"),
    *("csrfmiddlewaretoken", "action", "refresh_token", "code", "redirect_uri", "response_type"),
)
objects = st.dictionaries(st.sampled_from(FIELDS) | texts, values, max_size=4)
bodies = st.one_of(noise, nested, objects.map(lambda value: json.dumps(value).encode()), objects.map(as_form))
PARAMETERS: Final = (
    *("cursor", "page", "page_size", "content_keys", "traverse_pagination", "enterprise_customer", "format", "lang"),
    *("q", "p", "o", "e", "id__exact", "_changelist_filters", "_popup", "_to_field", "state", "code", "error", "next"),
    *("count", "ttl", "customer", "app_label", "model_name", "field_name", "term", "object_id"),
)
query_values = (
    st.sampled_from(
        [
            "%ED%A0%80",
            "%00",
            "%",
            "%zz",
            "%ff",
            "1",
            "0",
            "-1",
            "9" * 30,
            "1e9",
            "json",
            "yaml",
            "text",
            str(KNOWN),
            "*",
            "\xff",
        ]
    )
    | bytes_in_text
)
queries = st.lists(st.tuples(st.sampled_from(PARAMETERS), query_values), max_size=3).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
CONTENT_TYPES: Final = (
    *(
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "multipart/form-data",
    ),
    *(
        "application/json; charset=rot13",
        "application/x-www-form-urlencoded; charset=base64",
        "text/plain",
        "",
        ";",
        "/",
    ),
    *(
        "multipart/form-data; boundary=b; charset=rot13",
        "application/x-www-form-urlencoded; charset=utf-16",
        "a/b; c=\xff",
    ),
)
HEADERS: Final = (
    *("ACCEPT", "ACCEPT_ENCODING", "ACCEPT_LANGUAGE", "AUTHORIZATION", "COOKIE", "HOST", "IF_NONE_MATCH", "IF_MATCH"),
    *("IF_MODIFIED_SINCE", "IF_UNMODIFIED_SINCE", "RANGE", "ORIGIN", "REFERER", "X_CSRFTOKEN", "X_FORWARDED_FOR"),
    *("X_FORWARDED_PROTO", "X_FORWARDED_HOST", "X_HTTP_METHOD_OVERRIDE", "X_REQUESTED_WITH", "TRANSFER_ENCODING"),
)
header_values = st.one_of(
    bytes_in_text,
    noise.map(lambda raw: f"Basic {base64.b64encode(raw).decode()}"),
    bytes_in_text.map(lambda text: f"Bearer {text}"),
    bytes_in_text.map(lambda text: f"JWT {text}"),
    bytes_in_text.map(lambda text: f"sessionid={text}; csrftoken={text}; edx-jwt-cookie={text}; messages={text}"),
    st.sampled_from(
        [
            "gzip",
            "*/*;q=x",
            "text/html",
            "application/yaml",
            "chunked",
            "https",
            'W/"',
            "*",
            "en;q=2",
            "bytes=0-",
            "JWT e30.e30.e30",
            "a/b;c*=bogus''d",
            "application/json;c*=bogus''d",
        ]
    ),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as a server passes it to the application: each text holds bytes decoded as Latin-1."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    length: str | None = None

    def answered(self, token: str | None) -> int:
        """Send the request to the application and return the status. Raises what Django's handler does not catch."""
        environ = RequestFactory()._base_environ()  # type: ignore[attr-defined]  # not in the stubs
        if token is not None:
            environ["HTTP_AUTHORIZATION"] = f"JWT {token}"
        environ |= {f"HTTP_{name}": value for name, value in self.headers}
        environ |= {"REQUEST_METHOD": self.method, "PATH_INFO": self.path, "QUERY_STRING": self.query}
        environ |= {"CONTENT_TYPE": self.content_type, "wsgi.input": FakePayload(self.body)}
        environ["CONTENT_LENGTH"] = str(len(self.body)) if self.length is None else self.length
        statuses: list[str] = []

        def start(status: str, *_: object) -> Callable[[bytes], object]:
            statuses.append(status)
            return lambda _: None

        chunks = APPLICATION(environ, start)
        for _ in chunks:
            pass
        chunks.close()
        return int(statuses[0][:3])


def filled(route: str, parameter: str) -> str:
    """Return the path of a route with ``parameter`` for each parameter; UUIDs and integers get a valid value."""

    def fill(match: re.Match[str]) -> str:
        if match[1] == "uuid":
            return str(KNOWN)
        return "1" if match[1] == "int" and not parameter.isdecimal() else parameter

    return _PARAMETER.sub(fill, route.replace("^", "").replace("$", "").replace("\\", ""))


parameters = (
    st.sampled_from(["1", "9" * 30, str(KNOWN), str(UUID(int=8)), "_5F", "%ED%A0%80", "\x00", "a/b"]) | bytes_in_text
)
#: The admin has many similar pages; this list gives the other routes more weight.
OUTSIDE_ADMIN: Final = [route for route in ROUTES if not route.startswith("/admin/")]
paths = st.builds(filled, st.sampled_from(ROUTES) | st.sampled_from(OUTSIDE_ADMIN), parameters) | bytes_in_text.map(
    lambda text: "/" + text
)
requests = st.builds(
    Sent,
    method=st.sampled_from([*METHODS, "POST", "POST"]),
    path=paths,
    query=queries | bytes_in_text,
    body=bodies,
    content_type=st.sampled_from(CONTENT_TYPES) | bytes_in_text,
    headers=st.lists(st.tuples(st.sampled_from(HEADERS), header_values), max_size=3).map(tuple),
    length=st.none() | st.none() | st.sampled_from(["", "0", "1", "9" * 12]),
)


@pytest.fixture
def token() -> str:
    """A token with read access to the only catalog, whose customer has a feed."""
    catalog = CatalogFactory.create(courses=1, uuid=KNOWN)
    ConfigurationFactory.create(
        channel_code="CSOD",
        enterprise_customer_uuid=catalog.enterprise_customer_id,
        sandbox=CornerstoneSandbox(),
    )
    return signed_token("caller", roles=["enterprise_openedx_operator:*"])


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Prevent requests from closing the connection of the test's transaction, as Django's test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def assert_answered(request: Sent, token: str) -> None:
    for shown in (None, token):
        cache.clear()  # Otherwise the throttles would reject all later requests.
        status = request.answered(shown)
        assert status < 500 or (status == 503 and request.path == MAY_ANSWER_503), request


def test_the_routes_of_all_programs_are_discovered() -> None:
    for start in (
        "/admin/login/",
        "/api/v1/",
        "/api-docs/",
        "/health/",
        "/metrics",
        "/integrated-channels/",
        "/oauth2/",
    ):
        assert any(route.startswith(start) for route in ROUTES), start


FEED_TOKEN: Final = "/integrated-channels/cornerstone/token"
UNDECODABLE: Final = "text/plain; charset=rot13"
#: Requests that used to return 500.
FOUND: Final = {
    "a lone surrogate": Sent("POST", FEED_TOKEN, body=b'{"grant_type":"client_credentials","client_id":"\\ud800"}'),
    "nested lists": Sent("POST", FEED_TOKEN, body=b"[" * 5_000),
    "nested fields": Sent("POST", FEED_TOKEN, body=b'{"a":' * 5_000),
    "options of a page": Sent("OPTIONS", "/api-docs/"),
    "a broken escape": Sent(
        "POST", "/oauth2/access_token", query="a=%zz", content_type="application/x-www-form-urlencoded"
    ),
    "no text charset": Sent("GET", "/health/", query="a=%C3%A4", content_type=UNDECODABLE),
    "an unknown charset of a parameter": Sent("GET", "/health/", content_type="text/plain; a*=bogus''b"),
    "the same in a list": Sent("GET", "/api/v1/enterprise-catalogs/", headers=(("ACCEPT", "a/b; a*=bogus''b"),)),
}


@pytest.mark.parametrize("name", FOUND)
def test_a_request_that_raised_an_exception_is_answered(token: str, name: str) -> None:
    assert_answered(FOUND[name], token)


#: Methods that few views have.
OTHERS: Final = (pytest.mark.only_on("sqlite"), pytest.mark.slow)


@pytest.mark.parametrize(
    "method",
    [pytest.param(each, marks=() if each in {"GET", "POST"} else OTHERS) for each in METHODS],
)
def test_every_url_answers_every_method(token: str, method: str) -> None:
    for route in ROUTES:
        assert_answered(Sent(method, filled(route, "1")), token)


@settings(
    max_examples=settings().max_examples,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(request=requests)
def test_any_bytes_are_answered(token: str, request: Sent) -> None:
    assert_answered(request, token)
