"""Shared code of the views: the permission, actions, and the errors of configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_catalog.integrated_channels.access.edits import InvalidConfigurationError
from enterprise_catalog.integrated_channels.api.permissions import (
    HasChannelRole,
    find_configuration,
    require_operator,
)
from enterprise_catalog.integrated_channels.api.serializers.actions import ActionSerializer
from enterprise_catalog.integrated_channels.api.serializers.configurations import field_of
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError
from enterprise_catalog.web.rest.input import body_of, validate
from enterprise_catalog.web.rest.schema import BAD_OBJECT, documented

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rest_framework.request import Request
    from rest_framework.serializers import BaseSerializer
    from rest_framework.throttling import BaseThrottle

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration
    from enterprise_catalog.web.rest.input import Values

    #: Request, configuration and validated body -> data of the response.
    _Act = Callable[[Request, ChannelConfiguration, Values], object]
    Instance = TypeVar("Instance")

#: For the OpenAPI schema: the errors of operations on one row.
UNKNOWN: Final = {"404": "The row does not exist (for callers with a role for all customers)."}


class CatalogServiceError(APIException):
    """The catalog service gave no usable response; the same request may succeed later."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "catalog_unavailable"


class ChannelsView(APIView):
    """A view for callers with a role for at least one customer's channels."""

    permission_classes = (HasChannelRole,)

    def handle_exception(self, exc: Exception) -> Response:
        """Translate the errors of ``access/`` into errors of the API."""
        match exc:
            case InvalidConfigurationError():
                problems = {field_of(column): texts for column, texts in exc.problems.items()}
                return super().handle_exception(ValidationError(problems, code="invalid"))
            case CatalogUnavailableError():
                return super().handle_exception(CatalogServiceError(exc.message))
        return super().handle_exception(exc)


class ActionView(ChannelsView):
    """An action on a configuration; see :func:`action`."""

    name: ClassVar[str]  #: In the URL.
    is_for_operators: ClassVar[bool]  #: A customer's admin may not run it.

    def post(self, request: Request, pk: int) -> Response:
        """Run the action."""
        raise NotImplementedError


def action(
    name: str,
    *,
    response: type[BaseSerializer[Instance]],
    body: type[ActionSerializer] = ActionSerializer,
    errors: Mapping[str, str] | None = None,
    status_code: int = status.HTTP_200_OK,
    is_for_operators: bool = False,
    throttles: Sequence[type[BaseThrottle]] = tuple(ChannelsView.throttle_classes),
) -> Callable[[_Act], type[ActionView]]:
    """Turn a function into the view of an action, a POST to ``configurations/{id}/{name}/``: a decorator.

    Args:
        response: describes the data that the function returns.
        errors: status -> description, in addition to those of all actions.
        is_for_operators: refuse the action to customers' admins, before the body is read.
    """

    def make(act: _Act) -> type[ActionView]:
        class View(ActionView):
            throttle_classes = throttles

            @documented(
                f"configuration_{name.replace('-', '_')}",
                errors=BAD_OBJECT | UNKNOWN | dict(errors or {}),
                is_body_optional=not any(field.required for field in body().fields.values()),
                description=act.__doc__,
                request=body,
                responses={status_code: response},
            )
            def post(self, request: Request, pk: int) -> Response:
                configuration = find_configuration(request, pk)
                if is_for_operators:
                    require_operator(request, configuration.enterprise_customer_uuid)
                values = validate(body, body_of(request))
                return Response(act(request, configuration, values), status=status_code)

        View.name, View.is_for_operators, View.__doc__ = name, is_for_operators, act.__doc__
        return View

    return make
