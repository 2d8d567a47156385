"""Authenticates callers by token: Open edX's class, with a fast user lookup, and 503 during a database outage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from django.contrib.auth import get_user_model
from django.db import InterfaceError, OperationalError, connection
from edx_rest_framework_extensions.auth.jwt import authentication as open_edx
from rest_framework.exceptions import AuthenticationFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import AbstractUser
    from rest_framework.request import Request

log = structlog.get_logger(__name__)

#: The columns of a user's row that requests need, in the model's order, as ``from_db`` expects.
_COLUMNS: Final = ("id", "is_superuser", "username", "email", "is_staff", "is_active")


class JwtAuthentication(open_edx.JwtAuthentication):
    """Open edX's class, except that database errors leave ``authenticate`` and become a 503.

    Open edX's class responds with 401, or ignores a token in a cookie. Callers would then discard valid credentials.
    """

    _outage: OperationalError | InterfaceError | None = None

    def authenticate(self, request: Request) -> tuple[AbstractUser, str] | None:
        self._outage = None
        try:
            found: tuple[AbstractUser, str] | None = super().authenticate(request)
        finally:
            # Takes precedence over the result of Open edX's class: an authentication error, or, for a token in a
            # cookie, no user.
            if self._outage is not None:
                raise self._outage
        return found

    @classmethod
    def is_authenticating_with_jwt_cookie(cls, request: Request) -> bool:
        """Return True if the token comes from a cookie. Open edX's method takes an exception to find no cookie."""
        return bool(request.COOKIES) and bool(super().is_authenticating_with_jwt_cookie(request))

    def authenticate_credentials(self, payload: Mapping[str, object]) -> AbstractUser:
        """Return the token's user. Creates a row for a new user; updates the email address of a known user.

        Open edX's method would do the same, but logs email addresses.

        Raises:
            AuthenticationFailed: the token contains no user name, or its user's account is inactive.
        """
        username = self._get_username_from_payload(payload)
        if not username:
            raise AuthenticationFailed("The token contains no user name.")
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

    def _take_over(self, payload: Mapping[str, object], caller: AbstractUser) -> None:
        """Save the user attributes from the token's claims, if any differ."""
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
    """Create the row of a new user, or return the row that another process has just created."""
    caller: AbstractUser = get_user_model()._default_manager.get_or_create(username=username)[0]
    return caller


def _require_same_name(caller: AbstractUser, username: str) -> None:
    """Reject a row with another spelling that the database considers equal: ``exact_names`` has not run yet."""
    if caller.username != username:
        raise AuthenticationFailed(
            "The token's user name differs from an existing user name only in case, accents or spaces."
        )


def find_caller(username: str) -> AbstractUser | None:
    """Return the user's row with the columns that requests need, or ``None``; other columns load on access.

    Before ``exact_names`` has set the column's collation, the row may belong to a user with another spelling: compare
    the name.

    Every request runs this query. Plain SQL, because Django takes longer to build the statement, and to prepare for its
    result, than the database takes to answer it.
    """
    users = get_user_model()
    sql = f"SELECT {', '.join(_COLUMNS)} FROM {users._meta.db_table} WHERE username = %s"  # noqa: S608  (constants)
    with connection.cursor() as cursor:
        cursor.execute(sql, [username])
        row = cursor.fetchone()
    if row is None:
        return None
    pk, is_superuser, name, email, is_staff, is_active = row
    return users.from_db(
        connection.alias, _COLUMNS, (pk, bool(is_superuser), name, email, bool(is_staff), bool(is_active))
    )
