"""Knobs of the Canvas sandbox: accounts, developer key, the user who consents, and the user's permissions."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

# Published; valid only in the sandbox.
CLIENT_ID = "10000000000001"
CLIENT_SECRET = "not-a-real-client-secret"
REFRESH_TOKEN = "1~not-a-real-refresh-token"

ROOT_ACCOUNT_ID = 1

#: Account permissions of a sufficient role, with their names in Canvas since 2023.
SUFFICIENT_PERMISSIONS = frozenset(
    {
        "manage_courses_add",
        "manage_courses_admin",
        "manage_courses_conclude",
        "manage_courses_delete",
        "manage_courses_publish",
        "manage_course_visibility",
        "read_course_list",
        "read_sis",
    }
)


@dataclass(kw_only=True, eq=False)
class CanvasSite:
    """Knobs of the sandbox. Can be changed while it runs. The defaults are a healthy Canvas with valid credentials."""

    #: Account -> parent account; ``None`` for the root account.
    accounts: Mapping[int, int | None] = field(default_factory=lambda: {ROOT_ACCOUNT_ID: None, 2: ROOT_ACCOUNT_ID})
    clock: Callable[[], float] = time.time  #: Epoch seconds.

    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    consents: bool = True  #: The user consents; ``False`` if the user denies access.
    enforced_scopes: Collection[str] | None = None  #: Scopes of the developer key; ``None`` if it enforces no scopes.
    token_seconds: int = 3600
    unknown_refresh_token_error: str = "invalid_request"  # Newer versions may return invalid_grant.

    permissions: Collection[str] = SUFFICIENT_PERMISSIONS  #: Permissions of the user, in all accounts.
    forbidden_course_ids: Collection[int] = frozenset()  #: Courses that the user may not access.
    refusal_status: Literal[401, 403] = 401  #: Status for a missing permission; newer versions may return 403.

    created_status: Literal[200, 201] = 200
    keeps_integration_ids: bool = True  #: New courses get the requested integration ID; ``False`` if it is ignored.
    can_undelete: bool = True  #: Deleted courses can be restored. "Recovery is not guaranteed."

    high_water: float = 600.0  #: Capacity of the bucket of each access token; ``inf`` for no throttling.
    drain_per_second: float = 10.0
    up_front_cost: float = 50.0
    request_cost: float = 0.1  #: Final cost of a request.
    throttle_style: Literal["403", "429"] = "403"

    def may(self, *any_of: str) -> bool:
        """Return True if the user has at least one of the permissions."""
        return any(permission in self.permissions for permission in any_of)

    @property
    def sees_sis(self) -> bool:
        """``True`` if the user may read SIS IDs and integration IDs."""
        return self.may("read_sis", "manage_sis")

    def is_within(self, account_id: int, other_id: int) -> bool:
        """Return True if ``account_id`` is ``other_id`` or one of its descendants."""
        at: int | None = account_id
        while at is not None and at != other_id:
            at = self.accounts[at]
        return at is not None


@dataclass(slots=True)
class Bucket:
    """Leaky bucket of one access token."""

    count: float = 0.0
    touched_at: float = 0.0

    def is_full(self, site: CanvasSite) -> bool:
        """Drain the bucket. Return True if another request's up-front cost would fill it."""
        now = site.clock()
        self.count = max(self.count - (now - self.touched_at) * site.drain_per_second, 0.0)
        self.touched_at = now
        return self.count + site.up_front_cost >= site.high_water
