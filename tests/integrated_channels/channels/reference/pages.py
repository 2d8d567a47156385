"""Renders the tables of ``docs/reference/channels/``: payload fields, settings and credentials of each channel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from tests.integrated_channels.channels.reference.documents import OF_RUNS
from tests.integrated_channels.channels.reference.mapping import mapping_of, refusals_of_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from enterprise_catalog.integrated_channels.channels.base import ChannelSettings
from tests.integrated_channels.channels.reference.mapping import WireField

DOCS: Final = Path(__file__).parents[4] / "docs"


def path_of(code: str) -> Path:
    """Return the path of a channel's tables. The channel's set-up how-to has the same name and includes the file."""
    return DOCS / "reference" / "channels" / f"{CHANNELS[code].__module__.split('.')[-2]}.inc"


def page_of(code: str) -> str:
    """Return the tables of a channel as reStructuredText."""
    return "\n".join((*_sent(code), *_entered(code))) + "\n"


_INTRODUCTION: Final = """\
Found by changing one field after the other of a content document with the title "Data for All", and looking at what is
sent then. A field of "the run" is that of the course's run that is advertised, else of its latest; of a course run, its
own. Lengths are in characters."""


def _sent(code: str) -> Iterator[str]:
    yield from (_INTRODUCTION, "")
    refusals = refusals_of_types(code)
    sent = ", ".join(f"``{kind}``" for kind, refusal in refusals.items() if not refusal)
    yield f"Content of the types {sent} is sent."
    yield from (f"``{kind}`` is refused: “{refusal}”" for kind, refusal in refusals.items() if refusal)
    yield ""
    columns = ("field", "made of", "settings", "text that is too long", "without all that it is made of")
    yield from _table(columns, (_row(wire, found) for wire, found in mapping_of(code).items()), widths="22 30 14 16 18")


def _row(wire: str, found: WireField) -> tuple[str, ...]:
    made_of = _names(found.sources)
    for setting in dict.fromkeys(setting for _, setting in found.sources_with_setting):
        further = _names([source for source, of in found.sources_with_setting if of == setting])
        made_of = f"{made_of}{'; ' if made_of else ''}with ``{setting}``: {further}"
    if not made_of:
        made_of = "the settings" if found.settings else f"always ``{orjson.dumps(found.value).decode()}``"
    if found.is_time_of_change:
        made_of = "when the entry last changed in the feed"
    limits = "; ".join(f"``{source}``: {limit}" for source, limit in found.limits.items())
    return f"``{wire}``", made_of, _listed(found.settings), limits, found.if_missing


def _names(sources: Sequence[str]) -> str:
    """Return the names of source fields. A field of both the run in a course and a separate run is listed once."""
    told = []
    for source in sources:
        name = source.removeprefix(OF_RUNS)
        if source == name and OF_RUNS + name in sources:
            continue
        told.append(f"``{name}``" if source == name else f"the run's ``{name}``")
    return ", ".join(told)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"``{name}``" for name in names)


def _entered(code: str) -> Iterator[str]:
    channel = CHANNELS[code]
    for title, kind in (("Settings", channel.settings_class), ("Credentials", channel.credentials_class)):
        yield from ("", f"{title}:", "")
        columns = ("name", "kind", "unless given", "what for")
        yield from _table(columns, _declared(kind), widths="22 22 18 38")


def _declared(kind: type[ChannelSettings]) -> Iterator[tuple[str, ...]]:
    schema = kind.model_json_schema()
    for name, declared in schema.get("properties", {}).items():
        default = "required" if name in schema.get("required", ()) else _default(declared.get("default"))
        yield f"``{name}``", _kind(declared, schema), default, declared.get("description", "")


def _default(value: Any) -> str:
    return "" if value in (None, "") else f"``{orjson.dumps(value).decode()}``"


def _kind(declared: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return a setting's type, such as ``integer from 1 to 16``, or its choices."""
    if "$ref" in declared:
        declared = schema["$defs"][declared["$ref"].rpartition("/")[2]]
    if "enum" in declared:
        return " or ".join(f"``{choice}``" for choice in declared["enum"])
    choices = [choice for choice in declared.get("anyOf", [declared]) if choice.get("type") != "null"]
    words = [" or ".join(choice["type"] for choice in choices)]
    if any(choice.get("format") == "password" for choice in choices):
        words.insert(0, "secret")
    for limit, word in (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to")):
        words += [f"{word} {choice[limit]:,}" for choice in choices if limit in choice]
    if "maxLength" in declared:
        words.append(f"of at most {declared['maxLength']:,} characters")
    return " ".join(words)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, widths: str) -> Iterator[str]:
    yield from (".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", "")
    for row in (columns, *rows):
        for position, cell in enumerate(row):
            yield f"   {' ' if position else '*'} - {cell}".rstrip()
