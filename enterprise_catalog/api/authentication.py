"""Authenticates callers by token: Open edX's class, with a fast lookup of known users and 503 during an outage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog
from django.contrib.auth import get_user_model
from django.db import InterfaceError, OperationalError
from edx_rest_framework_extensions.auth.jwt import authentication as open_edx
from rest_framework.exceptions import AuthenticationFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import AbstractUser
    from rest_framework.request import Request

log = structlog.get_logger(__name__)

#: Of a user's row, what requests need.
_COLUMNS: Final = "id, username, email, is_active, is_staff, is_superuser"


class JwtAuthentication(open_edx.JwtAuthentication):  # type: ignore[misc]  # the package has no types
    """Open edX's class; errors of the database leave ``authenticate`` and become a 503.

    Open edX's class answers them with 401, or ignores a token in a cookie: callers would give up their credentials.
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
        """Return the row of the token's user. A new user gets one; a known one gets the token's e-mail address.

        Open edX's method would do the same, but logs e-mail addresses.

        Raises:
            AuthenticationFailed: the token names no user, or one whose account is inactive.
        """
        username = self._get_username_from_payload(payload)
        if not username:
            raise AuthenticationFailed("The token names no user.")
        try:
            caller = find_caller(username) or _new_caller(username)
            _require_same_name(caller, username)
            if caller.is_active:
                self._take_over(payload, caller)
        except (OperationalError, InterfaceError) as outage:
            self._outage = outage
            raise
        if not caller.is_active:
            raise AuthenticationFailed("This account is inactive.", code="user_inactive")
        return caller

    def _take_over(self, payload: Mapping[str, Any], caller: AbstractUser) -> None:
        """Save in the row what the token says of the user."""
        mapped = self.get_jwt_claim_attribute_map().items()
        changed = [name for claim, name in mapped if payload.get(claim) not in (None, getattr(caller, name))]
        if not changed:
            return
        for claim, name in mapped:
            if name in changed:
                setattr(caller, name, payload[claim])
        caller.save(update_fields=changed)
        log.info("user_updated", user_id=caller.pk, attributes=changed)


def _new_caller(username: str) -> AbstractUser:
    """Make a row for a user whose first request this is, unless another process has just done so."""
    caller: AbstractUser = get_user_model()._default_manager.get_or_create(username=username)[0]  # noqa: SLF001  (Django's documented API)
    return caller


def _require_same_name(caller: AbstractUser, username: str) -> None:
    """Reject a row of another user, whose name the database takes for the same: ``exact_names`` has not run yet."""
    if caller.username != username:
        raise AuthenticationFailed("The token's user name differs from an existing one in its spelling only.")


def find_caller(username: str) -> AbstractUser | None:
    """Return the row of a user, if there is one, with what requests need of it; the rest is read when it is asked for.

    It may be that of another user where ``exact_names`` has not set the column's collation yet: compare the name.

    Each request does this. In plain SQL, since Django takes longer to write the statement than the database to answer
    it.
    """
    users = get_user_model()
    sql = f"SELECT {_COLUMNS} FROM {users._meta.db_table} WHERE username = %s"  # noqa: S608, SLF001  (constants)
    return next(iter(users._default_manager.raw(sql, [username])), None)  # noqa: SLF001  (Django's documented API)
