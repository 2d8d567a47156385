"""Maps each field of a channel's payload to its source fields in the content document.

The mapping is found by experiment: it changes one field or setting at a time and compares the payloads.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import ValidationError

from enterprise_catalog.integrated_channels.catalog_api.documents import read_item
from enterprise_catalog.integrated_channels.channels.base import PullChannel
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError, RejectedError
from enterprise_catalog.integrated_channels.lms.client import LMSClient
from enterprise_catalog.sandbox.registry import SANDBOXES
from tests.factories import DAY_ONE
from tests.integrated_channels.channels.reference.documents import DOCUMENTS, OF_RUNS, changed, fields_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from enterprise_catalog.integrated_channels.channels.base import Channel
    from enterprise_catalog.integrated_channels.domain import ContentItem
    from tests.integrated_channels.channels.reference.documents import Document

    Sent = Mapping[str, list[Any]]  # Field on the wire -> its values. Only fields inside lists have several values.

TYPES: Final = ("course", "courserun", "program", "learnerpathway")
#: Required fields: no item can be read without them.
_PROMISED: Final = frozenset({"content_key", "content_last_modified"})
#: Shortest and longest text to try, in characters. ``_FILLING`` ends each text and shows if it was cut.
_SHORT: Final = 80
_LONG: Final = 20_000
_FILLING: Final = "x" * 10
#: Candidates for an alternative value of a setting that declares no choices.
_OTHER_VALUES: Final = (
    *(7, 70, "fr-FR", "https://x.example.org", ["fr-FR"]),
    {"Physics": "Other", "Computer Science": "Other", "en": "Other"},
)
_TEXTS: Final = ("content_key", "title", "short_description", "full_description", "enrollment_url", "image_url")


@dataclass(slots=True)
class WireField:
    """The findings for one field on the wire."""

    sources: list[str] = field(default_factory=list)  #: Source fields, in document order.
    settings: list[str] = field(default_factory=list)  #: Settings that change its value.
    #: Source fields that only count under another value of a setting: pairs of field and setting.
    sources_with_setting: list[tuple[str, str]] = field(default_factory=list)
    limits: dict[str, str] = field(default_factory=dict)  #: Source -> effect of a text that is too long.
    if_missing: str = ""  #: Value or error if all sources are missing.
    value: Any = None  #: The first value seen.
    is_time_of_change: bool = False  #: True if it is the modification time of the feed entry.


def channel_with(code: str, **settings: Any) -> Channel:
    """Return a channel with the sandbox's settings and credentials. It is not connected to a server."""
    kind, sandbox = CHANNELS[code], SANDBOXES[code]()
    credentials = kind.credentials_class.model_validate(sandbox.channel_credentials())
    entered = kind.settings_class.model_validate({**sandbox.channel_settings(), **settings})
    return kind(LMSClient("https://lms.example.org"), entered, credentials)


def sent_by(channel: Channel, document: Document, *, modified_at: datetime = DAY_ONE) -> Sent:
    """Return the payload for a document, flattened to dotted names.

    Args:
        modified_at: modification time of the feed entry; only used for pull channels.

    Raises:
        RejectedError: the channel rejects the item.
    """
    item = _item_of(orjson.dumps(document))
    payload = channel.transform(item)
    if isinstance(channel, PullChannel):
        payload = channel.entry(item.content_key, payload, modified_at)
    flat: dict[str, list[Any]] = {}
    for name, value in _leaves(payload):
        flat.setdefault(name, []).append(value)
    return flat


@functools.cache
def _item_of(document: bytes) -> ContentItem:
    """Return the item of a document. All channels read the same 4,700 documents, most of them many times."""
    return read_item(orjson.loads(document))


def mapping_of(code: str) -> dict[str, WireField]:
    """Return the findings for every field that the channel sends for courses and course runs, in payload order."""
    channel = channel_with(code)
    fields: dict[str, WireField] = {}
    for document in DOCUMENTS.values():
        later = sent_by(channel, document, modified_at=DAY_ONE + timedelta(days=1))
        for wire, [value, *_] in sent_by(channel, document).items():
            fields.setdefault(wire, WireField(value=value, is_time_of_change=later[wire][0] != value))
        for source, wire in _dependencies(channel, document):
            _note(fields.setdefault(wire, WireField()).sources, source)
    for name, other in _other_settings(code):
        _try_setting(channel, name, channel_with(code, **{name: other}), fields)
    # Drop an empty list ("name") if the fields of its objects ("name[]…") are known.
    fields = {wire: found for wire, found in fields.items() if not any(each.startswith(f"{wire}[]") for each in fields)}
    for wire, found in fields.items():
        found.limits = _limits(channel, wire, found.sources)
        found.if_missing = _if_missing(channel, wire, found.sources)
    return fields


def _try_setting(channel: Channel, name: str, other: Channel, fields: dict[str, WireField]) -> None:
    """Record the fields that depend on the setting ``name``. ``other`` is the channel with another value of it."""
    counts = False
    for document in (*DOCUMENTS.values(), _with_text("title", _LONG), _with_text("full_description", _LONG)):
        for wire in _differences(_accepted(channel, document), _accepted(other, document)):
            _note(fields.setdefault(wire, WireField()).settings, name)
            counts = True
    for document in DOCUMENTS.values():
        for source, wire in _dependencies(other, document, is_thorough=counts):
            found = fields.setdefault(wire, WireField())
            if source not in found.sources:
                _note(found.sources_with_setting, (source, name))


def refusals_of_types(code: str) -> dict[str, str]:
    """Return content type -> the reason why the channel rejects items of that type; empty if it accepts them."""
    channel = channel_with(code)
    return {kind: _refusal(channel, {**DOCUMENTS["course"], "content_type": kind}) for kind in TYPES}


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    match value:
        case dict() if value:
            for key, part in value.items():
                yield from _leaves(part, f"{name}.{key}" if name else key)
        case list() if any(isinstance(part, dict) for part in value):
            for part in value:
                yield from _leaves(part, f"{name}[]")
        case _:
            yield name, value


def _accepted(channel: Channel, document: Document) -> Sent:
    """Return the payload, or an empty dictionary if the channel rejects the document."""
    try:
        return sent_by(channel, document)
    except RejectedError:
        return {}


def _refusal(channel: Channel, document: Document) -> str:
    try:
        sent_by(channel, document)
    except RejectedError as error:
        return error.message
    return ""


def _dependencies(channel: Channel, document: Document, *, is_thorough: bool = True) -> Iterator[tuple[str, str]]:
    """Yield (source field, wire field) for each change of a source field that changes the wire field.

    One field may mask another. The thorough search repeats the experiment without each other field.
    """
    fields = fields_of(document)
    executive = changed(document, "course_type", fields["course_type"])
    fewer = [changed(each, name, None) for each in (document, executive) for name in fields if name not in _PROMISED]
    for context in (document, executive, *fewer) if is_thorough else (document, executive, *fewer[-2:]):
        before = _accepted(channel, context)
        for name, other in fields.items():
            for value in (other, None) if name not in _PROMISED else (other,):
                after = _accepted(channel, changed(context, name, value))
                if before and after:
                    yield from ((name, wire) for wire in _differences(before, after))


def _differences(before: Sent, after: Sent) -> list[str]:
    return [wire for wire in {**before, **after} if before.get(wire) != after.get(wire)]


def _other_settings(code: str) -> Iterator[tuple[str, Any]]:
    """Yield each setting with a different, valid value."""
    now = channel_with(code).settings
    for name in type(now).model_fields:
        value = getattr(now, name)
        choices = [member.value for member in type(value)] if isinstance(value, Enum) else []
        schema = type(now).model_json_schema()["properties"][name]
        tried = [*choices, *schema.get("enum", []), not value, *_OTHER_VALUES]
        for other in tried:
            try:
                channel_with(code, **{name: other})
            except (ValidationError, ConfigurationError):
                continue
            if other != value:
                yield name, other
                break


def _limits(channel: Channel, wire: str, sources: list[str]) -> dict[str, str]:
    """Return source -> effect of a text that is too long, such as "rejected above 255"."""
    limits = {}
    for source in (each for each in sources if each in _TEXTS):
        document = _bare(channel, source, sources)

        def fate(length: int, document: Document = document, source: str = source) -> str:
            whole = changed(document, source, _text(source, length))
            values = _accepted(channel, whole).get(wire, [])
            found = [value for value in values if isinstance(value, str) and _FILLING in value]
            return "rejected" if _refusal(channel, whole) else "used" if found else "not used"

        if (end := fate(_LONG)) != "used" and fate(_SHORT) == "used":
            limits[source] = f"{end} above {_last(lambda length: fate(length) == 'used'):,}"
        elif end == "used":
            values = _accepted(channel, changed(document, source, _text(source, _LONG)))[wire]
            if (longest := max(len(value) for value in values if isinstance(value, str))) < _LONG:
                limits[source] = f"cut to {longest:,}"
    return limits


def _bare(channel: Channel, source: str, sources: list[str]) -> Document:
    """Return a course document without the other ``sources``, which could mask ``source``. Keeps required fields."""
    document = DOCUMENTS["course"]
    for other in sources:
        if other != source and other in fields_of(document) and other not in _PROMISED:
            fewer = changed(document, other, None)
            document = document if _refusal(channel, fewer) else fewer
    return document


def _with_text(source: str, length: int) -> Document:
    return changed(DOCUMENTS["course"], source, _text(source, length))


def _text(source: str, length: int) -> str:
    return (str(DOCUMENTS["course"][source]) + "x" * length)[:length]


def _last(holds: Callable[[int], bool]) -> int:
    """Return the greatest length for which ``holds`` is true. Assumes that it is true up to a limit. Binary search."""
    yes, no = _SHORT, _LONG
    while no - yes > 1:
        middle = (yes + no) // 2
        yes, no = (middle, no) if holds(middle) else (yes, middle)
    return yes


def _if_missing(channel: Channel, wire: str, sources: list[str]) -> str:
    """Return the effect of removing all sources: a default value as JSON, "omitted", or the rejection message."""
    gone = [source for source in sources if source not in _PROMISED]
    document = next((each for each in DOCUMENTS.values() if wire in _accepted(channel, each)), None)
    if not gone or document is None:
        return ""
    for source in gone:
        if source in fields_of(document):
            document = changed(document, source, None)
    if any(source.startswith(OF_RUNS) for source in gone):
        document = {**document, "course_runs": []}
    if refusal := _refusal(channel, document):
        return f"rejected: “{refusal}”"
    values = _accepted(channel, document).get(wire)
    return "omitted" if values is None else " ".join(f"``{orjson.dumps(value).decode()}``" for value in values)


def _note(found: list[Any], what: Any) -> None:
    if what not in found:
        found.append(what)
