"""Declares a list's action: its limits, its effects and its result. ``confirmed_actions.py`` runs it."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from django.contrib import admin
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    from enterprise_catalog.admin_pages.actions.confirmation import Key

    #: The page of any table. ``ModelAdmin`` is invariant, so no other parameter fits all pages.
    AnyAdmin = admin.ModelAdmin[Any]

    Action = TypeVar("Action", bound=Callable[..., object])


#: Maximum length of a reason, in characters.
MAX_REASON_LENGTH: Final = 1_000


class Reason(StrEnum):
    """The field of the confirmation page in which a user enters the reason for the action."""

    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of an action on other rows, one sentence each."""

    consequences: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()  #: Reasons why the action is not possible; empty if it is.


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The options of an action, which :data:`runs` sets. An action without this decorator has the defaults."""

    batch_size: int = 1_000  #: In rows.
    max_rows: int = 250_000  #: More rows are refused.
    in_transaction: bool = True  #: ``False`` is for actions that call other systems.
    reason: Reason | None = None  #: Ask for a reason, which the action gets from :func:`reason_of`.
    is_logged: bool = True  #: ``False`` is for actions that write entries of their own to Django's log.
    #: Page and chosen rows -> the rows that the action changes, if they are not the chosen rows. The confirmation page
    #: counts and lists them, and the action receives them.
    targets: Callable[..., QuerySet[Model]] | None = None
    #: Returns the rows on which the action may still run, for targets that are not among the rows of the list. By
    #: default, these are the targets of the list's present rows.
    recheck: Callable[[], QuerySet[Model]] | None = None
    effects: Callable[[AnyAdmin, HttpRequest, Sequence[Key]], Effects] | None = None  #: On other rows.
    around: Callable[[], AbstractContextManager[None]] = nullcontext  #: For all batches together.

    def __call__(self, action: Action) -> Action:
        """Give these options to an action."""
        action.running = self  # type: ignore[attr-defined]  # as Django's decorator does
        return action


#: Sets the options of an action: ``@runs(max_rows=20)``.
runs: Final = Running


@dataclass(slots=True)
class Result:
    """The result of one batch: past participles with numbers of rows, such as ``{"queued for the next sync": 3}``."""

    done: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    url: str = ""  #: The page that shows the result; empty for the page that the user came from.

    def add(self, other: Result) -> None:
        """Add the numbers of another batch."""
        self.done += other.done
        self.skipped += other.skipped
        self.url = other.url or self.url


def reason_of(request: HttpRequest) -> str:
    """Return the reason that the user entered on the confirmation page; empty without one."""
    return request.POST.get("reason", "").strip()[:MAX_REASON_LENGTH]
