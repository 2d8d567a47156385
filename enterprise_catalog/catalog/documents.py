"""Content documents: validation, canonical form, hash, and the served form.

A document is one JSON object in the format of Open edX's course-discovery and enterprise-catalog. We read the few
fields that identify the content and keep all other fields unchanged. No database here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Final
from uuid import UUID

import orjson

from enterprise_catalog.db.content_keys import MAX_KEY_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    #: The JSON of an object, in consecutive parts; the parts are copied once, into the response.
    ServedDocument = tuple[bytes | memoryview, ...]

#: In bytes of canonical JSON. Real courses have 2 to 60 KB; MariaDB's default packet is 16 MiB.
MAX_DOCUMENT_BYTES: Final = 4 * 1024 * 1024

#: content_type -> the field that holds the content's key. Programs and pathways have no ``key``.
KEY_FIELDS: Final[Mapping[str, str]] = {
    "course": "key",
    "courserun": "key",
    "program": "uuid",
    "learnerpathway": "uuid",
}

#: Fields that are added when a document is served. They are removed before storage: no document has a field twice.
SERVED_FIELDS: Final = frozenset({"content_key", "content_type", "content_last_modified", "enrollment_url"})


_JSON_TYPES: Final = {
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}


class DocumentError(ValueError):
    """A document that cannot be imported; the text gives the reason."""


class NotJSONError(DocumentError):
    """A line that is not JSON, or is cut off."""


#: The mode of the entitlement that sells an executive education course.
_EXEC_ED_MODE: Final = "paid-executive-education"


@dataclass(frozen=True, slots=True)
class DerivedColumns:
    """The parts of a document that are repeated as columns, for lookups and enrollment URLs.

    A part that is missing, too long for its column, or of another type counts as missing.
    """

    content_uuid: UUID | None = None
    course_type: str = ""
    advertised_run_key: str = ""
    entitlement_sku: str = ""  #: Of an executive education course.
    #: False for a course whose ``course_runs`` contain no run that learners can find and enroll in. A document without
    #: ``course_runs`` says nothing about runs.
    is_active: bool = True
    nested_runs: frozenset[str] = frozenset()  #: The keys of a course's runs.


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document in canonical form."""

    content_key: str
    content_type: str
    parent_content_key: str  #: The course of a course run; empty for all other content.
    title: str  #: For display; at most 255 characters.
    json: bytes  #: Canonical: keys sorted, no white space, UTF-8, without :data:`SERVED_FIELDS`.
    content_hash: str  #: SHA-256 of type and JSON, in hexadecimal.
    derived: DerivedColumns


def parse_document(line: bytes) -> Document:
    """Parse ``line``, one JSON object, into a document.

    Two lines that differ only in white space or in the order of fields give equal documents.

    Raises:
        DocumentError: not JSON, not an object, an unknown ``content_type``, no usable key, nested too deeply, or too
            large.
    """
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise NotJSONError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    if not isinstance(fields, dict):
        raise DocumentError(f"must be a JSON object, not {_JSON_TYPES[type(fields)]}")
    content_type = fields.get("content_type")
    if not isinstance(content_type, str) or content_type not in KEY_FIELDS:
        raise DocumentError(f"content_type must be one of {', '.join(KEY_FIELDS)}, not {content_type!r:.60}")
    content_key = _content_key(fields, KEY_FIELDS[content_type])
    canonical = _canonical(content_key, fields)
    if len(canonical) > MAX_DOCUMENT_BYTES:
        raise DocumentError(f"{content_key}: {len(canonical):,} bytes; at most {MAX_DOCUMENT_BYTES:,} are allowed")
    title = fields.get("title")
    return Document(
        content_key=content_key,
        content_type=content_type,
        parent_content_key=_parent_key(fields) if content_type == "courserun" else "",
        title=title[:255] if isinstance(title, str) else "",
        json=canonical,
        content_hash=hashlib.sha256(content_type.encode() + b"\0" + canonical).hexdigest(),
        derived=derive_columns(content_type, fields),
    )


def derive_columns(content_type: str, fields: Mapping[str, object]) -> DerivedColumns:
    """Return the parts of a document that are repeated as columns."""
    content_uuid = _uuid(fields.get("uuid"))
    if content_type != "course":
        return DerivedColumns(content_uuid)
    runs = _objects(fields.get("course_runs"))
    advertised = fields.get("advertised_course_run_uuid")
    is_advertised = (run.get("key") for run in runs if advertised and run.get("uuid") == advertised)
    for_sale = (each.get("sku") for each in _objects(fields.get("entitlements")) if each.get("mode") == _EXEC_ED_MODE)
    return DerivedColumns(
        content_uuid=content_uuid,
        course_type=_text(fields.get("course_type"), 64),
        advertised_run_key=_text(next(is_advertised, None), MAX_KEY_LENGTH),
        entitlement_sku=_text(next(for_sale, None), 255),
        is_active="course_runs" not in fields or any(map(_is_active_run, runs)),
        nested_runs=frozenset(key for run in runs if (key := _text(run.get("key"), MAX_KEY_LENGTH))),
    )


def _is_active_run(run: Mapping[str, object]) -> bool:
    """Return True if learners can enroll in the run, and it is either published and marketed, or marketed elsewhere."""
    is_published = _text(run.get("status"), 64).lower() == "published"
    is_marketed = (is_published and run.get("is_marketable")) or run.get("is_marketable_external")
    return bool(run.get("is_enrollable") and is_marketed)


def _objects(value: object) -> list[dict[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: object, max_length: int) -> str:
    return value if isinstance(value, str) and len(value) <= max_length else ""


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def served_document(
    stored: bytes, *, content_key: str, content_type: str, updated_at: str, enrollment_url: str | None
) -> ServedDocument:
    """Return the document as the API serves it: the stored JSON and :data:`SERVED_FIELDS`.

    Args:
        stored: canonical JSON of an object (:attr:`Document.json`).
        updated_at: the item's ``updated_at`` in the diff, as served text.
    """
    known = orjson.dumps(
        {
            "content_key": content_key,
            "content_type": content_type,
            "content_last_modified": updated_at,
            "enrollment_url": enrollment_url,
        }
    )
    # A view, because a slice would copy a document of many kilobytes.
    return (known,) if stored == b"{}" else (memoryview(stored)[:-1], b",", memoryview(known)[1:])


def separated(documents: Iterable[ServedDocument]) -> Iterator[bytes | memoryview]:
    """Yield the parts of all ``documents`` with commas in between, for a JSON array."""
    return islice(chain.from_iterable((b",", *document) for document in documents), 1, None)


def _content_key(fields: Mapping[str, object], name: str) -> str:
    key = fields.get(name)
    if not isinstance(key, str) or not key:
        raise DocumentError(f"{name} must be a string of 1 to {MAX_KEY_LENGTH} characters, not {key!r:.60}")
    if len(key) > MAX_KEY_LENGTH:
        raise DocumentError(f"{name} has {len(key)} characters; at most {MAX_KEY_LENGTH} are allowed: {key[:40]}…")
    return key


def _canonical(content_key: str, fields: Mapping[str, object]) -> bytes:
    stored = {name: value for name, value in fields.items() if name not in SERVED_FIELDS}
    try:
        return orjson.dumps(stored, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:  # orjson reads 1,024 levels, but writes only 254.
        raise DocumentError(f"{content_key}: nested too deeply") from error


def _parent_key(fields: Mapping[str, object]) -> str:
    """Return the course key of a run, from course-discovery's ``aggregation_key`` (``courserun:edX+DemoX``)."""
    aggregation_key = fields.get("aggregation_key")
    return aggregation_key.partition(":")[2][:MAX_KEY_LENGTH] if isinstance(aggregation_key, str) else ""
