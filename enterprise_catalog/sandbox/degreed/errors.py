"""Error responses of the Degreed sandbox: JSON:API error documents, by status.

The codes of 400 and 429 are documented (``bad-request``, ``quota-exceeded``). The remaining codes imitate their style.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from enterprise_catalog.sandbox.application import json_response

if TYPE_CHECKING:
    from werkzeug import Response


class DegreedError(Exception):
    """A rejected request."""

    def __init__(self, status: int, code: str, title: str, detail: str, *, pointer: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.pointer = pointer  #: JSON pointer into the request's document; empty if the error has no location.

    def answer(self) -> Response:
        """Return the error as a JSON:API response."""
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
    """Return the error for a malformed request, or a value that is not allowed."""
    return DegreedError(400, "bad-request", "The request is not valid.", detail, pointer=pointer)


def unauthorized() -> DegreedError:
    """Return the error for an unknown or expired access token."""
    return DegreedError(401, "unauthorized", "Your API key is invalid.", "The access token is unknown or has expired.")


def forbidden(detail: str) -> DegreedError:
    """Return the error for a missing permission of the API key."""
    return DegreedError(403, "forbidden", "You don't have the right to visit this resource.", detail)


def not_found() -> DegreedError:
    """Return the error for an unknown page or course."""
    return DegreedError(404, "not-found", "The resource could not be found.", "There is nothing at this address.")


def not_acceptable() -> DegreedError:
    """Return the error for a client that does not send or accept JSON."""
    return DegreedError(406, "not-acceptable", "The format is not valid.", "We only accept JSON.")


def conflict(name: str, value: str) -> DegreedError:
    """Return the error for an attribute value that another course has."""
    detail = f"You cannot use the same ExternalID or URL to identify multiple resources: {value}"
    return DegreedError(409, "conflict", "Resource conflict.", detail, pointer=f"/data/attributes/{name}")


def gone() -> DegreedError:
    """Return the error for a deleted course."""
    return DegreedError(410, "gone", "Gone.", "The resource requested has been removed from our servers.")


def quota_exceeded(calls: int) -> DegreedError:
    """Return the error for an exhausted rate limit."""
    detail = f"Maximum {calls} requests allowed per 1m."
    return DegreedError(429, "quota-exceeded", "API calls quota exceeded.", detail)
