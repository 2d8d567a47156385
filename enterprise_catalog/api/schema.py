"""The OpenAPI schema: authentication, and every status code that an operation can return."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.contrib.rest_framework_jwt import JWTScheme


class EdxJWTScheme(JWTScheme):  # type: ignore[no-untyped-call]  # the subclass registers itself
    """Open edX's tokens: ``Authorization: JWT <token>``."""

    target_class = "enterprise_catalog.api.authentication.JwtAuthentication"


#: The schemas of error responses; see ``errors.py``.
ERROR_SCHEMAS: Final[dict[str, Any]] = {
    "Error": {
        "type": "object",
        "properties": {
            "detail": {"type": "string", "description": "A message for people."},
            "code": {"type": "string", "description": "A stable error code for programs."},
        },
        "required": ["code", "detail"],
    },
    "FieldError": {
        "type": "object",
        "description": "The error messages, by the name of the field or parameter.",
        "properties": {"code": {"type": "string", "description": "A stable error code for programs."}},
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
        "required": ["code"],
    },
}

_ANY: Final = {
    "401": "The token is missing or invalid.",
    "403": "The caller has no role for the customer, or the session's CSRF token is missing.",
    "406": "The Accept header excludes JSON.",
    "429": "Too many requests. Retry-After contains the number of seconds to wait.",
    "503": "The database is unavailable.",
}
_WITH_BODY: Final = {
    "400": "The body is invalid. The message contains the position of the first invalid key.",
    "411": "The body has no Content-Length.",
    "413": "The body is larger than 64 MiB, or its strings take too much memory.",
    "415": "The content type is not application/json.",
}
_UNKNOWN: Final = {"404": "The catalog does not exist (for callers whose role has the context *)."}
_BAD_PARAMETER: Final = {"400": "A parameter is missing or invalid."}
#: Operations that never return 404.
_NEVER_UNKNOWN: Final = frozenset({"customer_search"})
#: Operation -> its additional status codes.
_OWN: Final[dict[str, dict[str, str]]] = {
    "catalog_list": {
        "304": "Not changed since the response with the ETag in If-None-Match.",
        "400": "A parameter is invalid.",
        "404": "The page does not exist, or the customer does not exist (for callers whose role has the context *).",
    },
    "catalog_detail": {"304": "Not changed since the response with the ETag in If-None-Match."},
    "content_metadata_list": {
        "304": "Not changed since the response with the ETag in If-None-Match.",
        "400": "A parameter is invalid.",
    },
    "content_lookup": {
        **_BAD_PARAMETER,
        "404": "The customer does not exist (for callers whose role has the context *).",
    },
    "customer_search": _BAD_PARAMETER,
    "get_content_metadata": {
        "400": "A parameter is invalid.",
        "404": "The page does not exist, or the catalog does not exist (for callers whose role has the context *).",
    },
}
#: Operations whose request body is optional.
_OPTIONAL_BODY: Final = frozenset({"generate_diff"})


def add_errors(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the error responses to a generated schema; a hook of drf-spectacular (``POSTPROCESSING_HOOKS``)."""
    result["components"]["schemas"] |= ERROR_SCHEMAS
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, description in _statuses(operation).items():
                operation["responses"].setdefault(status, _response(status, description))
            if operation["operationId"] in _OPTIONAL_BODY:
                operation["requestBody"]["required"] = False
    return result


def _statuses(operation: dict[str, Any]) -> dict[str, str]:
    body = _WITH_BODY if "requestBody" in operation else {}
    unknown = {} if operation["operationId"] in _NEVER_UNKNOWN else _UNKNOWN
    return {**_ANY, **unknown, **body, **_OWN.get(operation["operationId"], {})}


def _response(status: str, description: str) -> dict[str, object]:
    if status == "304":
        return {"description": description}
    schema = {"$ref": f"#/components/schemas/{'FieldError' if status == '400' else 'Error'}"}
    response: dict[str, object] = {"description": description, "content": {"application/json": {"schema": schema}}}
    if status == "429":
        response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "In seconds."}}
    return response
