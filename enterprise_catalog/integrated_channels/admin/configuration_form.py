"""Form of a channel's configuration: validates the input, and accepts credentials without ever showing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypedDict
from uuid import UUID

import orjson
from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.widgets import ReadableJSONField, SecretTextarea
from enterprise_catalog.integrated_channels.access.configurations import (
    base_url_problems,
    catalog_problems,
    channel_problems,
    credentials_problems,
    settings_problems,
)
from enterprise_catalog.integrated_channels.access.credentials import encrypt
from enterprise_catalog.integrated_channels.access.entry_checks import find_customer_problems, find_twin_problems
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.utils.safestring import SafeString

    from enterprise_catalog.integrated_channels.channels.base import ChannelSettings

    ModelForm = forms.ModelForm[ChannelConfiguration]
else:
    ModelForm = forms.ModelForm


class _FieldSchema(TypedDict, total=False):
    """The parts of a JSON schema that describe one field of a channel's settings."""

    type: str
    enum: list[object]
    minimum: float
    maximum: float
    default: object
    description: str


#: JSON field -> number of visible lines.
_CODE_ROWS = {"catalog_uuids": 3, "settings": 6, "new_credentials": 4}
_KEEP = _("The stored credentials are never shown. Leave this field empty to keep them.")
_SKIP = _("Use this if the catalog service does not have the customer yet, or is unreachable.")
_ENTER_AGAIN = _("Please re-enter the credentials. They are valid, but are not saved until the other errors are fixed.")


def find_entered_customer_problems(entered: Mapping[str, str]) -> list[str]:
    """Return the problems of a new configuration's customer and catalogs. Asks the catalog service.

    Args:
        entered: the submitted form. Nothing is asked if the user skips the check, or if the form will reject the
            customer or the catalogs anyway.
    """
    if entered.get("skip_customer_check") or not entered:
        return []
    try:
        customer, catalogs = UUID(entered["enterprise_customer_uuid"]), orjson.loads(entered["catalog_uuids"] or "[]")
    except (KeyError, ValueError):
        return []
    if catalog_problems(catalogs):
        return []
    try:
        return find_customer_problems(ChannelConfiguration(enterprise_customer_uuid=customer, catalog_uuids=catalogs))
    except CatalogUnavailableError as error:
        text = gettext("The customer could not be checked: %(problem)s Try again later, or skip the check.")
        return [text % {"problem": error.message}]


class ConfigurationForm(ModelForm):
    """Form of a configuration. ``cleaned_data["new_credentials"]`` is ``None`` to keep the stored credentials."""

    new_credentials = forms.CharField(label=_("Credentials"), required=False, widget=SecretTextarea)
    skip_customer_check = forms.BooleanField(label=_("Skip the customer check"), required=False, help_text=_SKIP)

    #: Problems of a new configuration, see :func:`find_entered_customer_problems`; the page sets them before it creates
    #: the form.
    customer_problems: ClassVar[Sequence[str]] = ()

    class Meta:
        # The admin adds the model and its fields.
        labels = {"enterprise_customer_uuid": _("Customer's UUID")}
        field_classes = {"catalog_uuids": ReadableJSONField, "settings": ReadableJSONField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in _CODE_ROWS.keys() & self.fields.keys():
            attributes = self.fields[name].widget.attrs
            attributes.update({"rows": _CODE_ROWS[name], "class": f"{attributes.get('class', '')} ec-code"})
        is_new = self.instance.pk is None
        self.fields["new_credentials"].required = is_new
        # If this version no longer has the channel, nothing is described; the configuration can still be deactivated.
        channels = [channel for code, channel in CHANNELS.items() if is_new or code == self.instance.channel_code]
        for name, kind in (("settings", "settings_class"), ("new_credentials", "credentials_class")):
            if name in self.fields:
                self._describe(name, [(channel.label, getattr(channel, kind)) for channel in channels])
        if not is_new:
            field = self.fields["new_credentials"]
            field.help_text = format_html("{} {}", _KEEP, field.help_text)

    def clean_base_url(self) -> str:
        """Return the URL; reject a URL that contains a password."""
        base_url: str = self.cleaned_data["base_url"]
        _raise(base_url_problems(base_url))
        return base_url

    def clean_catalog_uuids(self) -> list[str]:
        """Return the catalogs; an empty field means none."""
        catalogs = self.cleaned_data["catalog_uuids"] or []
        _raise(catalog_problems(catalogs))
        return list(catalogs)

    def clean_settings(self) -> dict[str, object]:
        """Return the settings; an empty field means the channel's defaults."""
        settings: dict[str, object] | None = self.cleaned_data["settings"]
        return {} if settings is None else settings

    def clean_new_credentials(self) -> object:
        """Return the credentials; ``None`` if none were entered. Errors contain line and column, never the text."""
        text = self.cleaned_data["new_credentials"]
        if not text:
            return None
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            place = {"line": error.lineno, "column": error.colno}
            raise forms.ValidationError(_("Invalid JSON at line %(line)d, column %(column)d."), params=place) from None

    def clean(self) -> dict[str, object]:
        super().clean()
        cleaned = self.cleaned_data
        code = cleaned.get("channel_code") or self.instance.channel_code
        if code in CHANNELS:
            self._check(code)
        if self.instance.pk is None and not self.errors:
            self._check_entries()
        if self.errors and cleaned.get("new_credentials"):
            self.add_error("new_credentials", _ENTER_AGAIN)
        return cleaned

    def _check(self, channel_code: str) -> None:
        """Validate settings and credentials with the channel's models."""
        cleaned = self.cleaned_data
        if "settings" in cleaned:
            self._add_errors("settings", settings_problems(channel_code, cleaned["settings"]))
        if cleaned.get("new_credentials") is not None:
            self._add_errors("new_credentials", credentials_problems(channel_code, cleaned["new_credentials"]))
        if not self.errors:
            self._check_together(channel_code)

    def _check_entries(self) -> None:
        """Reject a configuration that already exists, or whose customer does not exist."""
        names = ("channel_code", "enterprise_customer_uuid", "base_url", "settings", "catalog_uuids")
        entered = ChannelConfiguration(**{name: self.cleaned_data[name] for name in names})
        self._add_errors("base_url", find_twin_problems(entered))
        self._add_errors("enterprise_customer_uuid", [*self.customer_problems])

    def _check_together(self, channel_code: str) -> None:
        """Check that the credentials, new or stored, are the kind that the settings require."""
        cleaned = self.cleaned_data
        credentials = cleaned["new_credentials"]
        if credentials is None and cleaned["settings"] == self.instance.settings:
            return  # Unchanged values must not prevent a user from deactivating the configuration.
        to_be = ChannelConfiguration(
            channel_code=channel_code,
            base_url=cleaned["base_url"],
            settings=cleaned["settings"],
            credentials=self.instance.credentials if credentials is None else encrypt(credentials),
        )
        self._add_errors("new_credentials", channel_problems(to_be))

    def _add_errors(self, name: str, problems: list[str]) -> None:
        if problems:
            self.add_error(name, [forms.ValidationError(problem) for problem in problems])

    def _describe(self, name: str, kinds: list[tuple[str, type[ChannelSettings]]]) -> None:
        """Set the field's help text: a list of the allowed fields in its JSON."""
        if len(kinds) == 1:
            [(_, kind)] = kinds
            self.fields[name].help_text = _fields_of(kind)
        else:
            html = '<details class="ec-more"><summary>{}</summary>{}</details>'
            self.fields[name].help_text = format_html_join(
                "", html, ((label, _fields_of(kind)) for label, kind in kinds)
            )


def _raise(problems: list[str]) -> None:
    if problems:
        raise forms.ValidationError([forms.ValidationError(problem) for problem in problems])


def _fields_of(kind: type[ChannelSettings]) -> SafeString:
    """Return the fields of a channel's settings as an HTML list."""
    rows = format_html_join("", "<li><code>{}</code>, {}</li>", _described(kind))
    return format_html('{} <ul class="ec-help">{}</ul>', gettext("A JSON object with these fields:"), rows)


def _described(kind: type[ChannelSettings]) -> Iterator[tuple[str, str]]:
    """Yield the name of each field with its type, default and description."""
    schema = kind.model_json_schema()
    for name, field in schema.get("properties", {}).items():
        # A field with an enum refers to the enum by name.
        choices = [
            schema["$defs"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
            for each in field.get("anyOf", [field])
        ]
        yield name, _description(field, choices, is_required=name in schema.get("required", ()))


def _description(field: _FieldSchema, choices: list[_FieldSchema], *, is_required: bool) -> str:
    """Return ``integer from 1 (default: 1): what it is for``, without the parts that the schema lacks."""
    traits = [gettext(" or ").join(filter(None, map(_type_of, choices)))]
    if "minimum" in field:
        traits.append(gettext("from %(number)s") % {"number": field["minimum"]})
    if "maximum" in field:
        traits.append(gettext("to %(number)s") % {"number": field["maximum"]})
    if is_required:
        traits.append(gettext("(required)"))
    elif field.get("default") not in (None, ""):
        traits.append(gettext("(default: %(value)s)") % {"value": orjson.dumps(field["default"]).decode()})
    return ": ".join(filter(None, (" ".join(filter(None, traits)), field.get("description"))))


def _type_of(choice: _FieldSchema) -> str:
    """Return the type of a value, or its allowed values; empty for null."""
    if "enum" in choice:
        return gettext(" or ").join(orjson.dumps(value).decode() for value in choice["enum"])
    kind = choice.get("type", "")
    return kind if kind != "null" else ""
