"""The form's fields for a channel, generated from its settings and credentials classes.

The JSON schema of a class gives each field's type, choices, limits and description. A type without a form field of its
own is entered as JSON. Pydantic validates the values afterwards: every rule of a class applies in the form, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson
from django import forms
from django.utils.translation import gettext
from pydantic_core import PydanticUndefined, to_jsonable_python

from enterprise_catalog.admin_pages.widgets import (
    CheckBox,
    LinesField,
    NumberInput,
    PairsField,
    ReadableJSONField,
    SecretInput,
    SecretTextarea,
    Select,
    TextInput,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from enterprise_catalog.integrated_channels.channels.base import ChannelSettings
    from enterprise_catalog.integrated_channels.domain import JSONObject

#: Words in names that are not written like other words.
_SPELLINGS: Final = {"id": "ID", "url": "URL", "saml": "SAML"}
_STRING: Final = {"type": "string"}


@dataclass(frozen=True, slots=True)
class ChannelField:
    """One field of a channel's settings or credentials, in the form."""

    name: str
    form_name: str
    form_field: forms.Field
    default: object  #: As JSON; ``None`` if there is no default.
    is_nullable: bool
    is_secret: bool  #: The form never shows its value.

    def entered(self, cleaned: Mapping[str, object]) -> object:
        """Return the value from the form's cleaned data. Empty means null, or else the default."""
        value = cleaned.get(self.form_name)
        is_empty = value is None or value in ("", [], {})
        return (None if self.is_nullable else self.default) if is_empty else value


def channel_fields(kind: type[ChannelSettings], *, prefix: str) -> list[ChannelField]:
    """Return the fields of a settings or credentials class, in its order."""
    schema = kind.model_json_schema()
    return [_channel_field(kind, name, schema, prefix) for name in schema.get("properties", {})]


def _channel_field(kind: type[ChannelSettings], name: str, schema: JSONObject, prefix: str) -> ChannelField:
    described = schema["properties"][name]
    info = kind.model_fields[name]
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    field = {**_flat(described, schema), "default": to_jsonable_python(default)}
    assert default is not PydanticUndefined  # only required fields have no default
    form_field = _form_field(field)
    form_field.label = _label(name)
    form_field.required = info.is_required() and field.get("type") != "boolean"
    form_field.help_text = " ".join(_help(field, form_field))
    is_nullable = {"type": "null"} in described.get("anyOf", ())
    return ChannelField(name, f"{prefix}-{name}", form_field, field["default"], is_nullable, "writeOnly" in field)


def _flat(field: JSONObject, schema: JSONObject) -> JSONObject:
    """Resolve a reference and ``… | None``. A union of several types has no type in the result."""
    choices = [choice for choice in field.get("anyOf", [field]) if choice.get("type") != "null"]
    if len(choices) != 1:
        return field
    [choice] = choices
    if reference := choice.get("$ref"):
        choice = {**schema["$defs"][reference.rpartition("/")[2]], "description": ""}
    return {**choice, **field}


def _form_field(field: JSONObject) -> forms.Field:
    if field.get("writeOnly"):
        # A password field would remove the line breaks of a key or a document.
        return forms.CharField(widget=SecretTextarea if "contentMediaType" in field else SecretInput)
    if "enum" in field:
        return _choice(field["enum"])
    items, values = field.get("items", {}), field.get("additionalProperties", {})
    least, most = field.get("minimum"), field.get("maximum")
    by_type: dict[str, Callable[[], forms.Field]] = {
        "boolean": lambda: forms.BooleanField(widget=CheckBox),
        "integer": lambda: forms.IntegerField(min_value=least, max_value=most, widget=NumberInput),
        "number": lambda: forms.FloatField(min_value=least, max_value=most, widget=NumberInput),
        "string": lambda: forms.CharField(max_length=field.get("maxLength"), widget=TextInput),
        "array": LinesField if items == _STRING else ReadableJSONField,
        "object": PairsField if values == _STRING else ReadableJSONField,
    }
    return by_type.get(field.get("type", ""), ReadableJSONField)()


def _choice(values: Sequence[object]) -> forms.Field:
    by_text = {str(value): value for value in values}
    choices = [(text, text) for text in by_text]
    return forms.TypedChoiceField(choices=choices, coerce=lambda text: by_text.get(text, text), widget=Select)


def _label(name: str) -> str:
    """Return ``Category ID`` for ``category_id``."""
    words = " ".join(_SPELLINGS.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]


def _help(field: JSONObject, form_field: forms.Field) -> Iterator[str]:
    """Yield the description, the limits, and the default if the form cannot show it in the field."""
    if description := field.get("description"):
        yield description
    if "minimum" in field and "maximum" in field:
        yield gettext("From %(least)s to %(most)s.") % {"least": field["minimum"], "most": field["maximum"]}
    elif "minimum" in field:
        yield gettext("At least %(number)s.") % {"number": field["minimum"]}
    if "maxLength" in field:
        yield gettext("At most %(number)s characters.") % {"number": field["maxLength"]}
    if isinstance(form_field, LinesField):
        yield gettext("One per line.")
    if isinstance(form_field, PairsField):
        yield gettext("One “name = value” per line.")
    if field["default"] not in (None, "", [], {}) and field.get("type") != "boolean":
        default = field["default"]
        shown = default if isinstance(default, str | int | float) else orjson.dumps(default).decode()
        yield gettext("Default: %(value)s.") % {"value": shown}
