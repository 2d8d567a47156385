"""Who a caller is: as Open edX's class says, unless the database does not answer; known callers are found fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth import get_user_model
from django.db import InterfaceError, OperationalError
from edx_rest_framework_extensions.auth.jwt import authentication as open_edx
from rest_framework.exceptions import AuthenticationFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import AbstractUser
    from rest_framework.request import Request

#: Of a user's row, what requests need.
_COLUMNS: Final = "id, username, email, is_active, is_staff, is_superuser"


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
        """Return the caller's row. Open edX's class makes that of a new caller, and corrects it by the token."""
        try:
            username = self._get_username_from_payload(payload)
            caller = find_caller(username) if isinstance(username, str) else None
            _require_same_name(caller, username)
            if caller is None or not self._is_told_by(payload, caller):
                caller = super().authenticate_credentials(payload)
        except (OperationalError, InterfaceError) as outage:
            self._outage = outage
            raise
        except AuthenticationFailed as failure:
            if isinstance(failure.__cause__, OperationalError | InterfaceError):
                self._outage = failure.__cause__
            raise
        return caller

    def _is_told_by(self, payload: Mapping[str, Any], caller: AbstractUser) -> bool:
        """Return whether the row has all that the token says of the caller."""
        told = self.get_jwt_claim_attribute_map().items()
        return all(payload.get(claim) in (None, getattr(caller, attribute)) for claim, attribute in told)


def _require_same_name(caller: AbstractUser | None, username: object) -> None:
    """Reject a row of another user, whose name the database takes for the same: ``exact_names`` has not run yet."""
    if caller is not None and caller.username != username:
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
