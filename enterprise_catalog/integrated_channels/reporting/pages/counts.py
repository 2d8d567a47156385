"""The numbers of a configuration's items by state, and the reasons of failures. No statement reads above 5,000 rows."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection

from enterprise_catalog.integrated_channels.domain import State
from enterprise_catalog.integrated_channels.models import ContentMetadataItemTransmission
from enterprise_catalog.integrated_channels.models.transmissions import MAX_PROBLEM_LENGTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

#: Maximum number of rows that one statement reads.
MAX_ROWS: Final = 5_000
#: States whose items are counted. Deleted items are history.
COUNTED: Final = tuple(state for state in State if state is not State.DELETED)
#: States whose items have failed.
FAILING: Final = (State.RETRYING, State.REJECTED, State.DEAD_LETTER)
#: Maximum number of groups of reasons.
MAX_GROUPS: Final = 10

_NUMBER: Final = (
    "(SELECT COUNT(*) FROM"
    " (SELECT 1 AS one FROM {table} WHERE configuration_id = %s AND state = %s LIMIT {limit}) AS found)"
)
#: The highest number that is counted together with those of all other states; each row is read twice.
_FEW: Final = MAX_ROWS // len(COUNTED) // 2
#: Parts of reasons that differ from item to item: quoted texts and numbers.
_VARIABLE: Final = re.compile(r"“[^”]*”|\"[^\"]*\"|'[^']*'|\d+")


@dataclass(frozen=True, slots=True)
class Number:
    """A number of items; ``is_capped`` means at least this number."""

    value: int
    is_capped: bool = False

    def __bool__(self) -> bool:
        return self.value > 0

    def __add__(self, other: Number) -> Number:
        return Number(self.value + other.value, self.is_capped or other.is_capped)


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """Failing items with the same reason, apart from quoted texts and numbers in it."""

    items: Number
    reason: str  #: Of one of the items.
    states: tuple[State, ...]
    prefix: str  #: Common beginning of all reasons; at most as long as ``problem``.


def count_by_state(configuration: ChannelConfiguration) -> Mapping[State, Number]:
    """Return the number of items in each state but deleted. Takes one statement, and one more for each large number."""
    return {
        state: Number(number) if number <= _FEW else _count_many(configuration, state)
        for state, number in zip(COUNTED, _count_few(configuration), strict=True)
    }


def reason_groups(configuration: ChannelConfiguration) -> list[ReasonGroup]:
    """Return the failing items grouped by reason, the largest group first; at most 10 groups of 5,000 items."""
    failing = ContentMetadataItemTransmission.objects.of(configuration).filter(state__in=FAILING)
    rows = list(failing.values_list("content_key", "state", "reason")[: MAX_ROWS + 1])
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for key, state, reason in rows[:MAX_ROWS]:
        groups[_VARIABLE.sub("…", reason.replace(key, "…"))].append((state, reason))
    largest = sorted(groups.values(), key=len, reverse=True)[:MAX_GROUPS]
    return [_group(members, is_capped=len(rows) > MAX_ROWS) for members in largest]


def _group(members: list[tuple[str, str]], *, is_capped: bool) -> ReasonGroup:
    reasons = [reason for _, reason in members]
    return ReasonGroup(
        Number(len(members), is_capped),
        reasons[0],
        tuple(state for state in FAILING if any(state == each for each, _ in members)),
        _common_prefix(reasons)[:MAX_PROBLEM_LENGTH],
    )


def _common_prefix(texts: list[str]) -> str:
    first, last = min(texts), max(texts)
    length = next((position for position, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:length]


def _count_many(configuration: ChannelConfiguration, state: State) -> Number:
    """Return the number of items in a state. Counted here: the database would read the rows of a subquery twice."""
    rows = ContentMetadataItemTransmission.objects.of(configuration).filter(state=state)
    number = len(rows.values_list("pk")[: MAX_ROWS + 1])
    return Number(min(number, MAX_ROWS), number > MAX_ROWS)


def _count_few(configuration: ChannelConfiguration) -> tuple[int, ...]:
    """Return the number of items in each counted state; one more than :data:`_FEW` if there are more.

    Django cannot count the rows of several limited subqueries in one statement.
    """
    table = connection.ops.quote_name(ContentMetadataItemTransmission._meta.db_table)
    columns = ", ".join([_NUMBER.format(table=table, limit=_FEW + 1)] * len(COUNTED))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns}", [value for state in COUNTED for value in (configuration.pk, state.value)])
        found: tuple[int, ...] = cursor.fetchone()
    return found
