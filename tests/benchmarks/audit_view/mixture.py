"""The mixture of channels, states, titles and reasons, as SQL expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHANNELS: Final = ("MOODLE",) * 4 + ("CANVAS",) * 3 + ("SAP",) * 2 + ("CSOD", "BLACKBOARD", "DEGREED2")
SUBJECTS: Final = (
    *("Introduction to Accounting", "Advanced Biology", "Data Analysis with Python", "Calculus", "World History"),
    *("Machine Learning", "Project Management", "Public Health", "Marketing", "Negotiation", "Statistics", "Ethics"),
)

#: State -> items per 10,000, the rarest last; all others are transmitted.
_RARE: Final = {
    "deleted": 200,
    "pending": 150,
    "rejected": 120,
    "retrying": 80,
    "dead_letter": 40,
    "held": 30,
    "kept": 20,
    "staged": 8,
    "in_doubt": 2,
}
_REJECTIONS: Final = (
    "The title is missing.",
    "Invalid parameter value detected.",
    "The short name is already used for another course.",
    "The price must not be negative.",
)


def choose(values: Sequence[object], number: str) -> str:
    """Return an expression for one of ``values``, chosen by the expression ``number``."""
    return f"ELT(1 + ({number}) % {len(values)}, {', '.join(map(repr, values))})"


def customer_uuid(number: str) -> str:
    """Return an expression for the UUID of a customer, as in :func:`customer_of`."""
    return f"CONCAT('00000000-0000-4000-8000-', LPAD({number}, 12, '0'))"


def customer_of(number: int) -> str:
    """Return the UUID of a customer."""
    return f"00000000-0000-4000-8000-{number:012}"


def course_key(number: str) -> str:
    """Return an expression for the content key of a course."""
    return f"CONCAT('Org', {number} % 40, 'X+COURSE', LPAD({number}, 6, '0'))"


def course_title(number: str) -> str:
    """Return an expression for the title of a course."""
    return f"CONCAT({choose(SUBJECTS, number)}, ' ', {number})"


def value_of(name: str, values: Mapping[str, str]) -> str:
    """Return an expression for the value of ``name`` in a mapping."""
    cases = (f"WHEN '{each}' THEN {as_text(value)}" for each, value in values.items())
    return f"CASE {name} {' '.join(cases)} END"


def as_text(value: str) -> str:
    """Return a text as an SQL literal."""
    assert not {"'", "\\"}.intersection(value)
    return f"'{value}'"


def _states() -> str:
    """Return an expression for the state of an item, by its ``chance`` of 0 to 9,999.

    Every second configuration is up to date, some of them with rejected items.
    """
    rejected = "configuration_id % 8 = 4 AND chance BETWEEN 350 AND 469"
    cases, below = [f"WHEN configuration_id % 2 = 0 AND chance >= 200 AND NOT ({rejected}) THEN 'transmitted'"], 0
    for state, count in _RARE.items():
        below += count
        cases.append(f"WHEN chance < {below} THEN '{state}'")
    return f"CASE {' '.join(cases)} ELSE 'transmitted' END"


STATES: Final = _states()

#: An expression for the reason of an item's ``state``.
REASONS: Final = f"""CASE
    WHEN state IN ('rejected', 'dead_letter') THEN {choose(_REJECTIONS, "chance DIV 2")}
    WHEN state = 'retrying' THEN CONCAT('HTTP 503: try again later (request ', course, ').')
    WHEN state = 'held' THEN 'Left the catalogs. 300 deletes exceed this limit and are waiting for approval.'
    WHEN state = 'kept' THEN 'Left the catalogs; kept by admin.'
    WHEN state = 'pending' THEN 'Planned: new in the catalogs.'
    ELSE '' END"""
