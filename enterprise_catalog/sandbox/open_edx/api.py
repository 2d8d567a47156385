"""Open edX sandbox: the token endpoint, customers of the LMS, and course-discovery's search and full documents.

One process stands for both services, because their paths differ:

=========================================  ==========================================
setting                                    value
=========================================  ==========================================
``OAUTH2_PROVIDER_URL``                    ``{url}/oauth2``
``LMS_BASE_URL``                           ``{url}``
``DISCOVERY_SERVICE_API_URL``              ``{url}/api/v1``
=========================================  ==========================================

Facts are from the source code of both services. Content is a set of content documents (``documents.py``); without any,
the services are empty.

Control pages, in addition to those of every sandbox:

================================  =============================================================================
``PUT /_sandbox/content``         replaces all content with JSON Lines
``POST /_sandbox/content``        adds and replaces single documents: JSON Lines
``POST /_sandbox/withdrawn``      removes the content of a JSON list of keys
``POST /_sandbox/customers``      adds and replaces customers: a JSON list of objects with ``uuid``
``POST /_sandbox/knobs``          sets knobs (``knobs.py``): a JSON object
================================  =============================================================================

Not simulated: permissions, ordering other than by key, facets, and search with GET.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError
from werkzeug import Response

from enterprise_catalog.sandbox.application import CONTROL_PREFIX, Operation, ServiceApplication, json_response
from enterprise_catalog.sandbox.json_objects import JSONObject
from enterprise_catalog.sandbox.open_edx import full, results
from enterprise_catalog.sandbox.open_edx.documents import Content, DocumentError, Record, read_lines
from enterprise_catalog.sandbox.open_edx.fields import fields_of
from enterprise_catalog.sandbox.open_edx.filters import FilterError, join_parameters, read_filters
from enterprise_catalog.sandbox.open_edx.knobs import Knobs
from enterprise_catalog.sandbox.open_edx.paging import NoPageError, numbered_page, offset_page
from enterprise_catalog.sandbox.open_edx.runs import RESTRICTIONS, moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from werkzeug import Request

    from enterprise_catalog.sandbox.open_edx.filters import Parameters
    from enterprise_catalog.sandbox.open_edx.paging import Page
    from enterprise_catalog.sandbox.open_edx.runs import Document

# Published; valid only in the sandbox.
CLIENT_ID: Final = "sandbox-service"
CLIENT_SECRET: Final = "not-a-real-secret"

TOKEN_PAGE: Final = "/oauth2/access_token"
CUSTOMERS_PAGE: Final = "/enterprise/api/v1/enterprise-customer/"
SEARCH_PAGE: Final = "/api/v1/search/all/"
COURSES_PAGE: Final = "/api/v1/courses/"
PROGRAMS_PAGE: Final = "/api/v1/programs/"
REVIEWS_PAGE: Final = "/api/v1/course_review/"

# Names of operations.
TOKEN, SEARCH = f"POST {TOKEN_PAGE}", f"POST {SEARCH_PAGE}"
CUSTOMERS, COURSES, PROGRAMS, REVIEWS = (
    f"GET {page}" for page in (CUSTOMERS_PAGE, COURSES_PAGE, PROGRAMS_PAGE, REVIEWS_PAGE)
)

TOKEN_LIFETIME_SECONDS: Final = 3_600
PAGE_SIZE: Final = 20  #: Default of all lists.
MAX_PAGE_SIZE = 1_000
_TRUE: Final = frozenset({"true", "1"})


@dataclass(kw_only=True, eq=False)
class OpenEdxSandbox(Knobs, ServiceApplication):
    """Course-discovery and the LMS, with one OAuth client, as a WSGI application. Every argument is a knob.

    Tests use ``documents``, ``customers``, ``calls`` and ``faults``. Operations are named by method and path.
    """

    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    documents: Content = field(init=False)
    customers: dict[str, Document] = field(init=False, default_factory=dict)  #: By UUID.
    tokens: dict[str, datetime] = field(init=False, default_factory=dict)  #: Token -> its end.
    _tokens_made: int = field(init=False, default=0)
    _last_search: tuple[object, list[Record]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.documents = Content(self.clock)

    def content(self) -> Sequence[Mapping[str, object]]:
        """Return the stored documents by ascending kind and key."""
        return [record.document for _, record in sorted(self.documents.records.items())]

    def expire_tokens(self) -> None:
        """Expire all tokens."""
        with self.lock:
            self.tokens.clear()

    def reset(self) -> None:
        """Also clear content, customers and tokens."""
        with self.lock:
            super().reset()
            self.documents.replace([])
            self.customers.clear()
            self.tokens.clear()

    def route(self, request: Request) -> Operation:
        pages: dict[str, Callable[[Request], Response]] = {
            CUSTOMERS: self._list_customers,
            SEARCH: self._search,
            COURSES: self._list_courses,
            PROGRAMS: self._list_programs,
            REVIEWS: self._list_reviews,
        }
        name = f"{request.method} {request.path}"
        if name == TOKEN:
            return Operation(name, partial(self._give_token, request))
        return Operation(name, partial(self._serve, request, pages.get(name, _no_page)))

    # --- tokens and errors ------------------------------------------------------------------------------------------

    def _give_token(self, request: Request) -> Response:
        form = request.form
        if form.get("grant_type") != "client_credentials":
            return json_response({"error": "unsupported_grant_type"}, status=400)
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return json_response({"error": "invalid_client"}, status=401)
        self._tokens_made += 1
        token = _token(self._tokens_made)
        self.tokens[token] = self.clock() + timedelta(seconds=TOKEN_LIFETIME_SECONDS)
        return json_response({"access_token": token, "expires_in": TOKEN_LIFETIME_SECONDS, "token_type": "JWT"})

    def _serve(self, request: Request, page: Callable[[Request], Response]) -> Response:
        if not self._is_authenticated(request):
            return _error(401, "Authentication credentials were not provided.")
        try:
            return page(request)
        except NoPageError:
            return _error(404, "Invalid page.")
        except FilterError as error:
            return _error(400, str(error))

    def _is_authenticated(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "JWT":
            return False
        ends_at = self.tokens.get(token)
        return (ends_at is not None and self.clock() < ends_at) or (self.accepts_any_token and token.count(".") == 2)

    # --- the LMS ----------------------------------------------------------------------------------------------------

    def _list_customers(self, request: Request) -> Response:
        wanted = request.args.get("uuid")
        found = [customer for uuid, customer in self.customers.items() if wanted in (None, uuid)]
        return json_response(numbered_page(request, found, list, default_size=10, max_size=MAX_PAGE_SIZE))

    # --- course-discovery -------------------------------------------------------------------------------------------

    def _search(self, request: Request) -> Response:
        body = _json_of(request)
        if not isinstance(body, dict):
            return _error(400, "The body must be an object.")
        parameters = join_parameters(request.args.to_dict(flat=False), body)
        found = [] if self.search_is_empty else self._found(parameters)
        return json_response(
            self._with_losses(
                numbered_page(
                    request,
                    found,
                    partial(self._render_results, parameters),
                    default_size=PAGE_SIZE,
                    max_size=MAX_PAGE_SIZE,
                )
            )
        )

    def _found(self, parameters: Parameters) -> list[Record]:
        """Return the records that match. The pages of a search share one evaluation of its filters."""
        state = (self.documents.version, {name: texts for name, texts in parameters.items() if name != "page"})
        if self._last_search is None or self._last_search[0] != state:
            self._last_search = (state, self._evaluate(parameters))
        return self._last_search[1]

    def _evaluate(self, parameters: Parameters) -> list[Record]:
        """Return the records that match, sorted by aggregation key and start."""
        filters, included, now = read_filters(parameters), _included(parameters), self.clock()
        has_pathways = _is_true(parameters.get("include_learner_pathways"))
        found = [
            (record, values)
            for record in self.documents.searchable()
            if (record.kind != "learnerpathway" or has_pathways) and _is_unrestricted(record, included)
            for values in [fields_of(record, included=included, now=now)]
            if all(each.matches(values) for each in filters)
        ]
        found.sort(key=lambda each: (each[0].aggregation_key, str(each[1].get("start", [""])[0]), each[0].key))
        return [record for record, _ in found]

    def _render_results(self, parameters: Parameters, records: Sequence[Record]) -> list[Document]:
        """Return the results of a page, grouped by kind."""
        included, now = _included(parameters), self.clock()
        hides_expired = _is_true(parameters.get("exclude_expired_course_run"))
        return [
            results.render(record, included=included, now=now, hides_expired=hides_expired, parameters=parameters)
            for _, group in groupby(sorted(records, key=_kind_of), key=_kind_of)
            for record in group
        ]

    def _with_losses(self, page: Page[Document]) -> Page[Document]:
        """Return the page with the losses that the knobs ask for. The count stays."""
        kept = page["results"][: len(page["results"]) - self.lost_results]
        nameless = [
            {name: value for name, value in each.items() if name not in {"key", "uuid"}}
            for each in kept[: self.nameless_results]
        ]
        return {**page, "results": nameless + kept[len(nameless) :]}

    def _list_courses(self, request: Request) -> Response:
        arguments = request.args
        included = _included(arguments.to_dict(flat=False))
        records = [record for record in self.documents.of_kind("course") if record.key not in self.unanswered]
        for parameter, member in (("keys", "key"), ("uuids", "uuid"), ("course_type", "course_type")):
            if (values := _commas(arguments, parameter)) is not None:
                records = [each for each in records if each.document.get(member) in values]
        if since := moment_of(arguments.get("timestamp")):
            records = [each for each in records if each.changed_at >= since]
        programs = self.documents.of_kind("program")
        calls = self.calls[COURSES]

        def render(page: Sequence[Record]) -> list[Document]:
            return [
                _with_wanted_runs(
                    full.render_course(each, included=included, programs=programs, knobs=self, calls=calls), arguments
                )
                for each in page
            ]

        return json_response(offset_page(request, records, render, default_size=PAGE_SIZE, max_size=MAX_PAGE_SIZE))

    def _list_programs(self, request: Request) -> Response:
        arguments = request.args
        records = self.documents.of_kind("program")
        uuids, types = _commas(arguments, "uuids"), _commas(arguments, "types")
        if uuids is not None:
            records = [each for each in records if each.key in uuids]
        if types is not None:
            records = [each for each in records if each.document.get("type") in types]
        if status := arguments.get("status"):
            records = [each for each in records if each.document.get("status", "active") == status]
        courses = self.documents.of_kind("course")

        def render(page: Sequence[Record]) -> list[Document]:
            return [full.render_program(each, courses=courses) for each in page]

        return json_response(offset_page(request, records, render, default_size=PAGE_SIZE, max_size=MAX_PAGE_SIZE))

    def _list_reviews(self, request: Request) -> Response:
        reviewed = [record for record in self.documents.of_kind("course") if full.has_review(record)]
        render = partial(map, full.render_review)
        return json_response(
            numbered_page(
                request, reviewed, lambda page: list(render(page)), default_size=PAGE_SIZE, max_size=MAX_PAGE_SIZE
            )
        )

    # --- control pages ----------------------------------------------------------------------------------------------

    def _control(self, request: Request) -> Response:
        pages: dict[str, Callable[[Request], None]] = {
            "PUT content": lambda request: self.documents.replace(_lines_of(request)),
            "POST content": lambda request: self.documents.put(_lines_of(request)),
            "POST withdrawn": lambda request: self.documents.remove(_KEYS.validate_json(request.get_data())),
            "POST customers": lambda request: self.put_customers(request.get_data()),
            "POST knobs": self._set_knobs,
        }
        page = pages.get(f"{request.method} {request.path.removeprefix(CONTROL_PREFIX)}")
        if page is None:
            return super()._control(request)
        try:
            with self.lock:
                page(request)
        except (DocumentError, ValidationError) as error:
            return json_response({"error": str(error)}, status=400)
        return Response(status=204)

    def put_customers(self, listed: bytes) -> None:
        """Store the customers of a JSON list of objects with ``uuid``.

        Raises:
            ValidationError: it is something else.
        """
        for customer in _CUSTOMERS.validate_json(listed):
            self.put_customer(**customer)

    def put_customer(self, uuid: str, **members: object) -> None:
        """Store a customer. Members that are not given have defaults."""
        modified = self.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        defaults = {"name": uuid, "slug": uuid, "active": True, "enable_learner_portal": True, "modified": modified}
        self.customers[uuid] = {"uuid": uuid, **defaults, **members}

    def _set_knobs(self, request: Request) -> None:
        for name, value in _KNOBS.validate_json(request.get_data()).items():
            if name not in {knob.name for knob in fields(Knobs)}:
                raise DocumentError(f"there is no knob {name!r}")
            setattr(self, name, value)


_KEYS = TypeAdapter(list[str])
_CUSTOMERS = TypeAdapter(list[JSONObject])
_KNOBS = TypeAdapter(JSONObject)


def _token(number: int) -> str:
    """Return a token with the form of a JWT. It is not signed: only the sandbox itself accepts it."""
    parts = ({"alg": "none", "typ": "JWT"}, {"sub": "sandbox", "jti": number})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "sandbox"])


def _error(status: int, detail: str) -> Response:
    return json_response({"detail": detail}, status=status)


def _no_page(_: Request) -> Response:
    return _error(404, "Not found.")


def _json_of(request: Request) -> object:
    try:
        return json.loads(request.get_data() or b"{}")
    except ValueError:
        return None


def _lines_of(request: Request) -> list[Document]:
    return read_lines(request.get_data(as_text=True).split("\n"))


def _kind_of(record: Record) -> str:
    return record.kind


def _is_true(values: Sequence[str] | None) -> bool:
    return values is not None and values[-1].lower() in _TRUE


def _included(parameters: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return the restriction types that ``include_restricted`` names, separated by commas."""
    return frozenset(kind for text in parameters.get("include_restricted", ()) for kind in text.split(","))


def _is_unrestricted(record: Record, included: frozenset[str]) -> bool:
    return record.document.get("restriction_type") not in RESTRICTIONS - included


def _commas(arguments: Mapping[str, str], name: str) -> set[str] | None:
    """Return the values of a parameter, separated by commas; ``None`` without the parameter."""
    text = arguments.get(name)
    return None if text is None else set(text.split(","))


def _with_wanted_runs(course: Document, arguments: Mapping[str, str]) -> Document:
    """Return the course with the runs that the parameters ask for."""
    statuses = _commas(arguments, "course_run_statuses")
    runs = course["course_runs"]
    if statuses is not None:
        runs = [run for run in runs if run["status"] in statuses]
    if not _is_true([arguments.get("include_hidden_course_runs", "")]):
        runs = [run for run in runs if not run["hidden"]]
    if _is_true([arguments.get("published_course_runs_only", "")]):
        runs = [run for run in runs if run["status"] == "published"]
    if _is_true([arguments.get("marketable_course_runs_only", "")]):
        runs = [run for run in runs if run["is_marketable"]]
    return {**course, "course_runs": runs}
