"""Course runs: the visible ones, restricted ones, and expired ones."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeAlias

from enterprise_catalog.sandbox.json_objects import JSONObject

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

#: A content document, or a document nested in it, such as a run.
Document: TypeAlias = JSONObject

#: Runs of these kinds are left out of every response that does not ask for their kind.
RESTRICTIONS: Final = frozenset({"custom-b2b-enterprise", "custom-b2c"})


def visible_runs(course: Document, included: Collection[str]) -> list[Document]:
    """Return the course's runs without the restricted ones, unless their restriction type is in ``included``."""
    runs = course.get("course_runs") or []
    return [
        run
        for run in runs
        if isinstance(run, dict)
        and (run.get("restriction_type") not in RESTRICTIONS or run["restriction_type"] in included)
    ]


def is_expired(run: Mapping[str, object], now: datetime) -> bool:
    """Return ``True`` if the run's end lies in the past."""
    end = moment_of(run.get("end"))
    return end is not None and end < now


def is_protected(run: Mapping[str, object], parameters: Mapping[str, Sequence[str]]) -> bool:
    """Return ``True`` if a parameter of the search equals the attribute of the run with the same name.

    Course-discovery keeps such a run even if it has expired.
    """
    return any(str(run[name]) in values for name, values in parameters.items() if isinstance(run.get(name), str | bool))


def moment_of(text: object) -> datetime | None:
    """Return the time in an ISO 8601 text, ``None`` if it has none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def price_of(run: Document) -> float | None:
    """Return the run's first enrollable paid seat price in dollars; ``None`` if unknown."""
    try:
        return float(run["first_enrollable_paid_seat_price"])
    except (KeyError, TypeError, ValueError):
        return None
