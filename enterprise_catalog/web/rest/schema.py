"""The OpenAPI schema: authentication, and every status code that an operation can return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from drf_spectacular.contrib.rest_framework_jwt import JWTScheme
from drf_spectacular.utils import extend_schema
from rest_framework.fields import empty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drf_spectacular.utils import OpenApiParameter
    from rest_framework.serializers import Serializer

    F = TypeVar("F", bound=Callable[..., object])


class EdxJWTScheme(JWTScheme):  # type: ignore[no-untyped-call]  # the subclass registers itself
    """Open edX's tokens: ``Authorization: JWT <token>``."""

    target_class = "enterprise_catalog.web.rest.authentication.JwtAuthentication"


#: The schemas of error responses; see ``errors.py``.
ERROR_SCHEMAS: Final[Mapping[str, object]] = {
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
NOT_MODIFIED: Final = {"304": "Not changed since the response with the ETag in If-None-Match."}
BAD_PARAMETER: Final = {"400": "A parameter is missing or invalid."}
#: Of operations with a body of at most 1 MiB; see ``input.py``.
BAD_OBJECT: Final = {
    "400": "The body is invalid.",
    "411": "The body has no Content-Length.",
    "413": "The body is larger than 1 MiB.",
    "415": "The content type is not application/json.",
}

# Extensions that carry a view's declarations to the hook, which removes them.
_ERRORS: Final = "x-errors"
_OPTIONAL_BODY: Final = "x-optional-body"


def documented(
    operation_id: str,
    *,
    errors: Mapping[str, str],
    responses: object,
    request: object = empty,
    parameters: Sequence[OpenApiParameter | type[Serializer[Any]]] | None = None,
    description: str | None = None,
    is_body_optional: bool = False,
) -> Callable[[F], F]:
    """Describe a view's method in the schema: a decorator.

    Args:
        errors: status -> description, in addition to the statuses that any operation can return.
        responses, request, parameters, description: as in drf-spectacular's ``extend_schema``.
    """
    extensions = {_ERRORS: {**errors}, _OPTIONAL_BODY: is_body_optional}
    return extend_schema(operation_id, parameters, request, responses, description=description, extensions=extensions)


def add_errors(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Add the error responses to a generated schema; a hook of drf-spectacular (``POSTPROCESSING_HOOKS``)."""
    result["components"]["schemas"] |= ERROR_SCHEMAS
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, description in {**_ANY, **operation.pop(_ERRORS)}.items():
                operation["responses"].setdefault(status, _response(status, description))
            if operation.pop(_OPTIONAL_BODY):
                operation["requestBody"]["required"] = False
    return result


def _response(status: str, description: str) -> dict[str, object]:
    if status == "304":
        return {"description": description}
    schema = {"$ref": f"#/components/schemas/{'FieldError' if status == '400' else 'Error'}"}
    response: dict[str, object] = {"description": description, "content": {"application/json": {"schema": schema}}}
    if status == "429":
        response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "In seconds."}}
    return response
