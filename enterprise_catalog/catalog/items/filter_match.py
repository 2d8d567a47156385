"""The members of a content filter that a stored document does not satisfy. No database here.

Only course-discovery evaluates filters. This compares what the stored document repeats of its search index, to tell
people why a filter does not find an item: a member without a counterpart in the document is left out.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Final

from enterprise_catalog.catalog.discovery.filters import LOOKUPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from enterprise_catalog.catalog.models import ContentMetadata

_COMPARISONS: Final[Mapping[str, Callable[[float | str, float | str], bool]]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_WORD: Final = re.compile(r"\w+")
#: Fields of runs that course-discovery also gives their course.
_OF_RUNS: Final = frozenset({"availability", "status", "pacing_type", "enrollment_mode"})
#: Fields that are compared without case.
_ANY_CASE: Final = frozenset({"partner", "org", "authoring_organizations", "type", "enrollment_mode"})


def failing_members(
    content_filter: Mapping[str, object], content: ContentMetadata, document: Mapping[str, object]
) -> list[str]:
    """Return the members of the filter that exclude the item, in the order of the filter.

    Args:
        content: the item's row; its key and type are not in the document.
        document: the stored document, parsed.
    """
    return [member for member, wanted in content_filter.items() if _fails(member, wanted, content, document)]


def _fails(member: str, wanted: object, content: ContentMetadata, document: Mapping[str, object]) -> bool:
    field, _, lookup = member.partition("__")
    values = [*_values(field, content, document)]
    choices = wanted if isinstance(wanted, list) else [wanted]
    if lookup not in LOOKUPS.get(field, ()) or not choices or "" in choices:
        return False  # Course-discovery ignores the member.
    if not values:
        return False  # The document does not tell.
    if lookup in _COMPARISONS:
        return not any(_compares(lookup, value, choices[0]) for value in values)
    if lookup == "range":
        return False
    is_found = any(_equal(field, value, choice) for value in values for choice in choices)
    return is_found if lookup == "exclude" else not is_found


def _values(field: str, content: ContentMetadata, document: Mapping[str, object]) -> Iterator[object]:
    """Yield the values that the search index has of the item, as far as the document repeats them."""
    if field == "content_type":
        yield content.content_type
    elif field in ("key", "key.raw"):
        yield content.content_key
    elif field == "aggregation_key":
        yield f"{content.content_type}:{content.parent_content_key or content.content_key}"
    elif field == "org":
        yield from _organizations(document)
    elif field == "product_source":
        source = document.get("product_source")
        yield from _texts([source.get("slug") if isinstance(source, dict) else source])
    elif field in ("subject_uuids", "authoring_organization_uuids"):
        yield from _members_of(document.get("subjects" if field == "subject_uuids" else "owners"), "uuid")
    elif isinstance(value := document.get(field), list):
        yield from _texts(value)
    elif value is not None:
        yield value
    elif field in _OF_RUNS:
        yield from _members_of(document.get("course_runs"), field)


def _organizations(document: Mapping[str, object]) -> Iterator[str]:
    """Yield the keys of a course's owners: ``owners[].key``, and the start of ``organizations`` ("edX: edX Inc.")."""
    yield from _members_of(document.get("owners"), "key")
    organizations = document.get("organizations")
    yield from (text.partition(":")[0] for text in _texts(organizations if isinstance(organizations, list) else []))


def _members_of(rows: object, name: str) -> Iterator[str]:
    for row in rows if isinstance(rows, list) else []:
        yield from _texts([row.get(name)] if isinstance(row, dict) else [])


def _texts(values: Iterable[object]) -> Iterator[str]:
    return (value for value in values if isinstance(value, str))


def _equal(field: str, value: object, choice: object) -> bool:
    if field == "key":  # A phrase: the words of the filter's key, in their order, anywhere in the item's key.
        return f" {_words(choice)} " in f" {_words(value)} "
    if isinstance(value, bool):
        return str(value).lower() == str(choice).lower()
    if field in _ANY_CASE:
        return str(value).lower() == str(choice).lower()
    return str(value) == str(choice)


def _words(text: object) -> str:
    return " ".join(_WORD.findall(str(text).lower()))


def _compares(lookup: str, value: object, bound: object) -> bool:
    """Compare as numbers, else as texts: times have one format. Values that are neither satisfy every bound."""
    try:
        return _COMPARISONS[lookup](float(str(value)), float(str(bound)))
    except ValueError:
        return not isinstance(value, str) or _COMPARISONS[lookup](value, str(bound))
