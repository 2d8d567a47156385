"""Responses of the Moodle sandbox: results and errors as JSON or XML, login errors as JSON, and HTML pages."""

from __future__ import annotations

from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING

from werkzeug import Response

from enterprise_catalog.sandbox.application import json_response

if TYPE_CHECKING:
    from enterprise_catalog.sandbox.moodle.errors import MoodleError

_XML_HEAD = '<?xml version="1.0" encoding="UTF-8" ?>\n'
_HTML_TYPE = "text/html; charset=utf-8"
_HTML_PAGE = "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"


class RestFormat(StrEnum):
    """Values of ``moodlewsrestformat``. Any other value, or no value, means XML."""

    JSON = "json"
    XML = "xml"


def result(value: object, rest_format: RestFormat) -> Response:
    """Return a function's result. ``value`` consists of dicts, lists, numbers, strings and ``None``."""
    match rest_format:
        case RestFormat.JSON:
            return json_response(value)
        case RestFormat.XML:
            return _xml(f"<RESPONSE>\n{_xml_value(value)}</RESPONSE>\n")


def error(refusal: MoodleError, rest_format: RestFormat, *, debug: bool) -> Response:
    """Return ``refusal`` with status 200. ``debug`` adds ``debuginfo``."""
    fields = {"exception": refusal.exception, "errorcode": refusal.code, "message": refusal.message}
    if debug:
        fields["debuginfo"] = refusal.debuginfo
    present = {name: text for name, text in fields.items() if text is not None}
    match rest_format:
        case RestFormat.JSON:
            return json_response(present)
        case RestFormat.XML:
            exception = present.pop("exception")
            lines = [f"<{name.upper()}>{escape(text)}</{name.upper()}>\n" for name, text in present.items()]
            return _xml(f'<EXCEPTION class="{escape(exception)}">\n{"".join(lines)}</EXCEPTION>\n')


def login_error(refusal: MoodleError) -> Response:
    """Return ``refusal`` in the format of the login page, with status 200."""
    details = dict.fromkeys(("stacktrace", "debuginfo", "reproductionlink"))
    return json_response({"error": refusal.message, "errorcode": refusal.code, **details})


def html_page(title: str, *, status: int, headers: dict[str, str] | None = None) -> Response:
    """Return an HTML page, as the web server or Moodle sends it if the request does not reach a web service."""
    return Response(_HTML_PAGE.format(title=title), status=status, headers=headers, content_type=_HTML_TYPE)


def empty_page(*, status: int) -> Response:
    """Return an empty ``text/html`` response: web services or the REST protocol are disabled."""
    return Response(b"", status=status, content_type=_HTML_TYPE)


def _xml(body: str) -> Response:
    return Response(_XML_HEAD + body, content_type="application/xml; charset=utf-8")


def _xml_value(value: object) -> str:
    match value:
        case None:
            return '<VALUE null="null"/>\n'
        case dict():
            keys = (f'<KEY name="{escape(str(name))}">{_xml_value(inner)}</KEY>\n' for name, inner in value.items())
            return f"<SINGLE>\n{''.join(keys)}</SINGLE>\n"
        case list():
            return f"<MULTIPLE>\n{''.join(map(_xml_value, value))}</MULTIPLE>\n"
    return f"<VALUE>{escape(str(value))}</VALUE>\n"
