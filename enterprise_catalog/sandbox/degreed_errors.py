"""Degreed's refusals: JSON:API error lists, by status.

The codes of 400 and 429 are documented (``bad-request``, ``quota-exceeded``); the others are made alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from enterprise_catalog.sandbox.application import json_response

if TYPE_CHECKING:
    from werkzeug import Response


class DegreedError(Exception):
    """One request is refused."""

    def __init__(self, status: int, code: str, title: str, detail: str, *, pointer: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.pointer = pointer  #: Into the request's document; empty if no part of it is to blame.

    def answer(self) -> Response:
        """Return the answer that says so."""
        error: dict[str, object] = {
            "id": f"{self.status}-{self.code}",
            "code": self.code,
            "status": self.status,
            "title": self.title,
            "detail": self.detail,
        }
        if self.pointer:
            error["source"] = {"pointer": self.pointer}
        return json_response({"errors": [error]}, status=self.status)


def bad_request(detail: str, *, pointer: str = "") -> DegreedError:
    """Say that the request cannot be read, or holds a value that is not allowed."""
    return DegreedError(400, "bad-request", "The request is not valid.", detail, pointer=pointer)


def unauthorized() -> DegreedError:
    """Say that the access token is not one, or no longer."""
    return DegreedError(401, "unauthorized", "Your API key is invalid.", "The access token is unknown or has expired.")


def forbidden(detail: str) -> DegreedError:
    """Say that the API key may not do this."""
    return DegreedError(403, "forbidden", "You don't have the right to visit this resource.", detail)


def not_found() -> DegreedError:
    """Say that there is no such page or course."""
    return DegreedError(404, "not-found", "The resource could not be found.", "There is nothing at this address.")


def not_acceptable() -> DegreedError:
    """Say that the client does not speak JSON."""
    return DegreedError(406, "not-acceptable", "The format is not valid.", "We only accept JSON.")


def conflict(name: str, value: str) -> DegreedError:
    """Say that another course has the value of this attribute."""
    detail = f"You cannot use the same ExternalID or URL to identify multiple resources: {value}"
    return DegreedError(409, "conflict", "Resource conflict.", detail, pointer=f"/data/attributes/{name}")


def gone() -> DegreedError:
    """Say that the course was deleted."""
    return DegreedError(410, "gone", "Gone.", "The resource requested has been removed from our servers.")


def quota_exceeded(calls: int) -> DegreedError:
    """Say that the window's calls are made."""
    detail = f"Maximum {calls} requests allowed per 1m."
    return DegreedError(429, "quota-exceeded", "API calls quota exceeded.", detail)
