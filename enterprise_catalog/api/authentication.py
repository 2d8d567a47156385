"""Who a caller is: what Open edX's class says, but for a database that does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import InterfaceError, OperationalError
from edx_rest_framework_extensions.auth.jwt import authentication as open_edx
from rest_framework.exceptions import AuthenticationFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import AbstractUser
    from rest_framework.request import Request


class JwtAuthentication(open_edx.JwtAuthentication):  # type: ignore[misc]  # the package has no types
    """Open edX's, which takes any error of the database for a bad token: 401, or a cookie that is not looked at.

    Callers would take their credentials for dead. Here such an error leaves ``authenticate``, and is answered by 503.
    """

    _outage: OperationalError | InterfaceError | None = None

    def authenticate(self, request: Request) -> tuple[AbstractUser, str] | None:
        self._outage = None
        try:
            found: tuple[AbstractUser, str] | None = super().authenticate(request)
        finally:
            # Whatever Open edX's class has made of it: a failure, or no answer at all where the token is in a cookie.
            if self._outage is not None:
                raise self._outage
        return found

    def authenticate_credentials(self, payload: Mapping[str, Any]) -> AbstractUser:
        try:
            user: AbstractUser = super().authenticate_credentials(payload)
        except AuthenticationFailed as failure:
            if isinstance(failure.__cause__, OperationalError | InterfaceError):
                self._outage = failure.__cause__
            raise
        return user
