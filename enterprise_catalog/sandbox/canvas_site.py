"""The knobs of a Canvas: its accounts, its developer key, the person who consents and what that person may do."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

# Published and good for nothing but the sandbox.
CLIENT_ID = "10000000000001"
CLIENT_SECRET = "not-a-real-client-secret"  # noqa: S105  (fake)
REFRESH_TOKEN = "1~not-a-real-refresh-token"  # noqa: S105  (fake)

ROOT_ACCOUNT_ID = 1

#: The account permissions of a role that suffices, by their names in Canvas since 2023.
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
    """Every field may also be changed while the sandbox runs; the defaults are a healthy Canvas that lets us in."""

    #: Account -> the one it is in; the root account is in none.
    accounts: Mapping[int, int | None] = field(default_factory=lambda: {ROOT_ACCOUNT_ID: None, 2: ROOT_ACCOUNT_ID})
    clock: Callable[[], float] = time.time  #: Epoch seconds.

    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    consents: bool = True  #: Whether the person who is asked lets us in.
    enforced_scopes: Collection[str] | None = None  #: Of the developer key; ``None`` if it enforces none.
    token_seconds: int = 3600
    unknown_refresh_token_error: str = "invalid_request"  # noqa: S105  (newer versions may say invalid_grant)

    permissions: Collection[str] = SUFFICIENT_PERMISSIONS  #: Of the person, in all accounts.
    forbidden_course_ids: Collection[int] = frozenset()  #: Courses that the person may not touch.
    refusal_status: Literal[401, 403] = 401  #: Of what is not permitted; newer versions may answer 403.

    created_status: Literal[200, 201] = 200
    keeps_integration_ids: bool = True  #: Whether a new course gets the integration ID that is asked for.
    can_undelete: bool = True  #: "Recovery is not guaranteed."

    high_water: float = 600.0  #: Of the bucket of each access token; ``inf`` where nobody is throttled.
    drain_per_second: float = 10.0
    up_front_cost: float = 50.0
    request_cost: float = 0.1  #: What a request is found to have cost in the end.
    throttle_style: Literal["403", "429"] = "403"

    def may(self, *any_of: str) -> bool:
        """Return whether the person has one of the permissions."""
        return any(permission in self.permissions for permission in any_of)

    @property
    def sees_sis(self) -> bool:
        """Whether SIS IDs and integration IDs are shown to the person."""
        return self.may("read_sis", "manage_sis")

    def is_within(self, account_id: int, other_id: int) -> bool:
        """Return whether the first account is the second one or somewhere in it."""
        at: int | None = account_id
        while at is not None and at != other_id:
            at = self.accounts[at]
        return at is not None


@dataclass(slots=True)
class Bucket:
    """Canvas's leaky bucket of one access token."""

    count: float = 0.0
    touched_at: float = 0.0

    def is_full(self, site: CanvasSite) -> bool:
        """Let it drain, and return whether a request would fill it up to the mark while it is under way."""
        now = site.clock()
        self.count = max(self.count - (now - self.touched_at) * site.drain_per_second, 0.0)
        self.touched_at = now
        return self.count + site.up_front_cost >= site.high_water
