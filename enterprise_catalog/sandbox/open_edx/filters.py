"""Filters of ``search/all``: parameters ``field`` or ``field__lookup``.

Parameters that are not a filter are ignored without an error, as in course-discovery. This includes a known field with
a lookup that it does not have.
"""

from __future__ import annotations

import contextlib
import operator
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

#: A parameter's values; a list in the request's body is a repeated parameter.
Parameters = dict[str, list[str]]
#: A text of a document or a filter, converted to the field's type; a phrase is a list of words.
Value: TypeAlias = str | bool | float | datetime | list[str]

_NO_LOOKUPS: Final[frozenset[str]] = frozenset()
_IN: Final = frozenset({"in"})
_IN_EXCLUDE: Final = frozenset({"in", "exclude"})
_COMPARISONS: Final = MappingProxyType({"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le})
_ORDER: Final = frozenset(_COMPARISONS)
_WORD: Final = re.compile(r"\w+(?:[.']\w+)*")


class FilterError(ValueError):
    """A value does not have the field's type."""


def _exact(text: str) -> str:
    return text


def _boolean(text: str) -> bool:
    return text.lower() in {"true", "1"}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise FilterError(f"{text!r} is not a number") from None


def _date(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise FilterError(f"{text!r} is not a date") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


@dataclass(frozen=True, slots=True)
class _Field:
    read: Callable[[str], Value]
    lookups: frozenset[str] = _NO_LOOKUPS  #: Beyond equality.


_FIELDS: Final[Mapping[str, _Field]] = MappingProxyType(
    {
        "content_type": _Field(_exact, _IN),
        "aggregation_key": _Field(_exact, _IN_EXCLUDE),
        "key": _Field(_words),
        "key.raw": _Field(_exact, _IN_EXCLUDE),
        "partner": _Field(str.lower),
        "org": _Field(str.lower, _IN_EXCLUDE),
        "authoring_organizations": _Field(str.lower, _IN_EXCLUDE),
        "authoring_organization_uuids": _Field(_exact, _IN),
        "subject_uuids": _Field(_exact, _IN),
        "availability": _Field(_exact, _IN),
        "level_type": _Field(_exact, _IN),
        "course_type": _Field(_exact, _IN_EXCLUDE),
        "product_source": _Field(_exact, _IN),
        "first_enrollable_paid_seat_price": _Field(_number, _ORDER | {"in", "range"}),
        "start": _Field(_date, _ORDER),
        "end": _Field(_date, _ORDER),
        "end_date": _Field(_date, _ORDER),
        "status": _Field(_exact),
        "published": _Field(_boolean),
        "hidden": _Field(_boolean),
        "has_enrollable_seats": _Field(_boolean),
        "active": _Field(_boolean),
        "enterprise_subscription_inclusion": _Field(_boolean),
        **{
            name: _Field(_exact, _IN)
            for name in ("languages", "pacing_type", "number", "skill_names", "skills", "course_ends")
        },
        "external_course_marketing_type": _Field(_exact, _IN),
        "type": _Field(str.lower, _IN),
        "enrollment_mode": _Field(str.lower, _IN),
        "short_description": _Field(_words),
    }
)


def join_parameters(query: Mapping[str, Sequence[str]], body: Mapping[str, object]) -> Parameters:
    """Return one set of parameters: those of the query string, and the members of the body.

    A list becomes a repeated parameter, and an empty text is dropped.
    """
    joined = {name: list(values) for name, values in query.items()}
    for name, value in body.items():
        joined[name] = [_text(each) for each in (value if isinstance(value, list) else [value]) if each != ""]
    return {name: values for name, values in joined.items() if values}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Filter:
    """One parameter that is a filter."""

    field: str
    lookup: str  #: Empty for equality.
    values: Sequence[Value]

    def matches(self, fields: Mapping[str, Sequence[object]]) -> bool:
        """Return ``True`` if a document with these fields matches. Without the field, it matches only an exclusion."""
        own = list(_values(_FIELDS[self.field], fields.get(self.field, [])))
        if self.lookup == "exclude":
            return not any(value in self.values for value in own)
        return any(self._accepts(value) for value in own)

    def _accepts(self, value: Value) -> bool:
        if self.lookup in _COMPARISONS:
            return bool(_COMPARISONS[self.lookup](value, self.values[0]))
        if self.lookup == "range":
            return bool(operator.le(self.values[0], value) and operator.le(value, self.values[-1]))
        if isinstance(value, list):
            return any(isinstance(phrase, list) and _contains(value, phrase) for phrase in self.values)
        return value in self.values


def read_filters(parameters: Parameters) -> list[Filter]:
    """Return the parameters that are filters.

    Raises:
        FilterError: a value does not have the field's type.
    """
    filters = []
    for name, texts in parameters.items():
        field, _, lookup = name.partition("__")
        if field in _FIELDS and (not lookup or lookup in _FIELDS[field].lookups):
            # A single text may contain several values.
            values = [part for text in texts for part in (text.split("__") if lookup in {"in", "range"} else [text])]
            filters.append(Filter(field, lookup, [_FIELDS[field].read(value) for value in values]))
    return filters


def _values(field: _Field, texts: Iterable[object]) -> Iterator[Value]:
    """Yield the document's values that have the field's type."""
    for text in texts:
        with contextlib.suppress(FilterError):
            yield field.read(_text(text))


def _contains(words: Sequence[str], phrase: Sequence[str]) -> bool:
    """Return ``True`` if the words of the phrase follow each other in ``words``."""
    length = len(phrase)
    return bool(length) and any(words[start : start + length] == phrase for start in range(len(words) - length + 1))
