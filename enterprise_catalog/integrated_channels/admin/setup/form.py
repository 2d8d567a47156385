"""Form of a channel's configuration, with real fields for the channel's settings and credentials.

:func:`form_class` makes a class for one channel. The page asks the catalog service and the LMS before it creates the
form, and passes the results: Django opens a transaction around the form. If both programs share a SQLite file, the
catalog service could not issue a token during that transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from enterprise_catalog.admin_pages.widgets import CheckBox
from enterprise_catalog.integrated_channels.access.configurations import (
    base_url_problems,
    channel_problems,
    field_problems,
)
from enterprise_catalog.integrated_channels.access.credentials import decrypt, encrypt
from enterprise_catalog.integrated_channels.access.edits import hosts_of
from enterprise_catalog.integrated_channels.access.entry_checks import find_twin_problems
from enterprise_catalog.integrated_channels.admin.setup.channel_fields import channel_fields
from enterprise_catalog.integrated_channels.admin.setup.customers import CatalogsField, LoadedCustomer
from enterprise_catalog.integrated_channels.exceptions import ConfigurationError
from enterprise_catalog.integrated_channels.models import ChannelConfiguration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from enterprise_catalog.integrated_channels.admin.setup.channel_fields import ChannelField
    from enterprise_catalog.integrated_channels.channels.base import Channel

    ModelForm = forms.ModelForm[ChannelConfiguration]
else:
    ModelForm = forms.ModelForm

_SKIP = _("Use this if the catalog service does not have the customer yet, or is unreachable.")
_STORED = _("A value is stored and never shown. Leave the field empty to keep it.")
_ENTER_AGAIN = _("Please enter it again. It was not saved, because the form has errors.")
_MOVED = _("The address has changed. Enter this value again: a stored value is not sent to a new address.")
_NEW_IS_INACTIVE = _("Only active configurations are synced. You can also activate it after the preview.")
_ALL_CATALOGS = _("Select none to send all catalogs of the customer, including future ones.")
_TYPED_CATALOGS = _("UUIDs, one per line. Leave empty to send all catalogs of the customer.")


def form_class(
    configuration: ChannelConfiguration | None,
    channel: type[Channel] | None,
    customer: LoadedCustomer | None = None,
    connection_problems: Sequence[str] = (),
) -> type[ConfigurationForm]:
    """Return the form class for one configuration.

    Args:
        configuration: ``None`` for a new one.
        channel: ``None`` if this version does not have the configuration's channel. Then there are no fields for
            settings and credentials, and the configuration can still be deactivated.
        customer: ``None`` to skip the check of customer and catalogs.
        connection_problems: why the LMS cannot be used with the submitted values; they prevent saving.
    """
    settings = channel_fields(channel.settings_class, prefix="settings") if channel else []
    credentials = channel_fields(channel.credentials_class, prefix="credentials") if channel else []
    stored = _stored_credentials(configuration)
    removals = [field for field in credentials if field.is_secret and field.is_nullable and stored.get(field.name)]
    catalogs = customer.catalogs if customer else None
    stored_catalogs = configuration.catalog_uuids if configuration else ()
    fields: dict[str, object] = {
        **{field.form_name: field.form_field for field in (*settings, *credentials)},
        **{removal_name(field): _removal(field) for field in removals},
        "catalog_uuids": CatalogsField(
            catalogs,
            stored_catalogs,
            label=_("Catalogs"),
            help_text=_TYPED_CATALOGS if catalogs is None else _ALL_CATALOGS,
        ),
        "settings_fields": settings,
        "credentials_fields": credentials,
        "stored_credentials": stored,
        "channel": channel,
        "customer": customer,
        "connection_problems": connection_problems,
    }
    return type("ConfigurationForm", (ConfigurationForm,), fields)


class ConfigurationForm(ModelForm):
    """Form of a configuration. It sets the instance's settings and credentials itself."""

    skip_customer_check = forms.BooleanField(
        label=_("Skip the customer check"), required=False, help_text=_SKIP, widget=CheckBox
    )

    # Set by form_class().
    settings_fields: ClassVar[Sequence[ChannelField]] = ()
    credentials_fields: ClassVar[Sequence[ChannelField]] = ()
    stored_credentials: ClassVar[dict[str, object]] = {}
    channel: ClassVar[type[Channel] | None] = None
    customer: ClassVar[LoadedCustomer | None] = None
    connection_problems: ClassVar[Sequence[str]] = ()

    credentials_before: str | None = None  #: The stored credentials, encrypted. Set by the page before it saves.

    class Meta:
        # The admin adds the model and its fields.
        labels = {"enterprise_customer_uuid": _("Customer's UUID")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_new = self.instance.pk is None
        self._stored_hosts = hosts_of(self.instance)
        self._show_stored_values()
        if self.is_new and "channel_code" in self.fields:
            self.fields["channel_code"].widget = forms.HiddenInput()
            self.fields["active"].help_text = _NEW_IS_INACTIVE
            self.initial["active"] = False
        if "enterprise_customer_uuid" in self.fields:
            self.fields["enterprise_customer_uuid"].help_text = _customer_help(self.customer)

    def _show_stored_values(self) -> None:
        for part, stored in ((self.settings_fields, self.instance.settings), (self.credentials_fields, self.stored)):
            for field in part:
                if not field.is_secret:
                    self.initial.setdefault(field.form_name, stored.get(field.name, field.default))
                elif stored.get(field.name):
                    entry = self.fields[field.form_name]
                    entry.required = False
                    entry.help_text = f"{entry.help_text} {_STORED}"

    @property
    def stored(self) -> dict[str, object]:
        """The stored credentials; empty for a new configuration, or if no key can decrypt them."""
        return self.stored_credentials

    @classmethod
    def credentials_rows(cls) -> list[str | tuple[str, str]]:
        """Return the names of the credentials' fields, each with the box that removes its stored value, if any."""
        names = {field.form_name: removal_name(field) for field in cls.credentials_fields}
        return [(name, box) if box in cls.base_fields else name for name, box in names.items()]

    @property
    def changed_columns(self) -> list[str]:
        """The columns of settings and credentials, if one of their fields was changed."""
        changed = {"settings": self._is_changed(self.settings_fields), "credentials": self._are_credentials_changed}
        return [name for name, is_changed in changed.items() if is_changed]

    @property
    def _are_credentials_changed(self) -> bool:
        removed = any(removal_name(field) in self.changed_data for field in self.credentials_fields)
        return removed or self._is_changed(self.credentials_fields)

    def _is_changed(self, fields: Iterable[ChannelField]) -> bool:
        return any(field.form_name in self.changed_data for field in fields)

    def clean_base_url(self) -> str:
        """Return the URL; reject a URL that contains a password."""
        base_url: str = self.cleaned_data["base_url"]
        if problems := base_url_problems(base_url):
            raise forms.ValidationError(problems)
        return base_url

    def clean(self) -> dict[str, object]:
        super().clean()
        if self.channel is not None and (self.is_new or self.changed_columns):
            self._read_channel_fields(self.channel)
        if not (self.is_new or self.errors):
            self._check_hosts()
        if not self.errors:
            self._check_entries()
        for problem in () if self.errors else self.connection_problems:
            self.add_error(None, problem)
        if self.errors:
            self._ask_for_secrets_again()
        return self.cleaned_data

    def _read_channel_fields(self, channel: type[Channel]) -> None:
        """Set the instance's settings and credentials, validated with the channel's classes."""
        settings = dict(self._values(self.settings_fields, self.instance.settings))
        credentials = dict(self._values(self.credentials_fields, self.stored))
        if self.is_new or "settings" in self.changed_columns:
            self._add_problems(self.settings_fields, field_problems(channel.settings_class, settings))
        if self.is_new or "credentials" in self.changed_columns:
            self._add_problems(self.credentials_fields, field_problems(channel.credentials_class, credentials))
        if self.errors:
            return
        self.instance.settings = settings
        if self.is_new or "credentials" in self.changed_columns:
            self.instance.credentials = encrypt(credentials)
        self._check_together(channel)

    def _values(self, fields: Iterable[ChannelField], stored: dict[str, object]) -> Iterator[tuple[str, object]]:
        """Yield name and value of all fields to store: the stored values, and the changed ones unless default."""
        by_name = {field.name: field for field in fields}
        yield from ((name, value) for name, value in stored.items() if name not in by_name)
        for name, field in by_name.items():
            if self.cleaned_data.get(removal_name(field)):
                continue
            if field.form_name in self.changed_data:
                value = field.entered(self.cleaned_data)
                if value != field.default:
                    yield name, value
            elif name in stored:
                yield name, stored[name]

    def _add_problems(self, fields: Sequence[ChannelField], problems: Iterable[tuple[str, str]]) -> None:
        """Show each problem at its field; the problem of several fields at the first one."""
        names = {field.name: field.form_name for field in fields}
        for name, sentence in problems:
            form_name = names.get(name) or (fields[0].form_name if not name and fields else None)
            if form_name is None:
                self.add_error(None, f"{name}: {sentence}")
            elif form_name not in self.errors:
                self.add_error(form_name, sentence[:1].upper() + sentence[1:])

    def _check_together(self, channel: type[Channel]) -> None:
        """Check that the credentials are the kind that the settings require."""
        to_be = ChannelConfiguration(
            channel_code=channel.code,
            base_url=self.cleaned_data.get("base_url", ""),
            settings=self.instance.settings,
            credentials=self.instance.credentials,
        )
        self._add_problems(self.credentials_fields, (("", problem) for problem in channel_problems(to_be)))

    def _check_hosts(self) -> None:
        """Require the stored secrets again for a new address: otherwise, anyone who may edit could have them sent."""
        to_be = ChannelConfiguration(base_url=self.cleaned_data["base_url"], settings=self.instance.settings)
        if hosts_of(to_be) == self._stored_hosts:
            return
        for field in self.credentials_fields:
            is_kept = self.stored.get(field.name) and field.form_name not in self.changed_data
            if field.is_secret and is_kept and not self.cleaned_data.get(removal_name(field)):
                self.add_error(field.form_name, _MOVED)

    def _check_entries(self) -> None:
        """Reject a configuration that exists already, or whose customer or catalogs do not exist."""
        cleaned = self.cleaned_data
        if self.is_new:
            names = ("channel_code", "enterprise_customer_uuid", "base_url", "catalog_uuids")
            entered = {name: cleaned[name] for name in names}
            for problem in find_twin_problems(ChannelConfiguration(**entered, settings=self.instance.settings)):
                self.add_error("base_url", problem)
        is_changed = {"enterprise_customer_uuid", "catalog_uuids"} & {*self.changed_data}
        if self.customer is None or cleaned.get("skip_customer_check") or not (self.is_new or is_changed):
            return
        name = "enterprise_customer_uuid" if "enterprise_customer_uuid" in self.fields else "catalog_uuids"
        for problem in self.customer.problems_with(cleaned["catalog_uuids"]):
            self.add_error(name, problem)

    def _ask_for_secrets_again(self) -> None:
        for field in self.credentials_fields:
            if field.is_secret and self.cleaned_data.get(field.form_name) and field.form_name not in self.errors:
                self.add_error(field.form_name, _ENTER_AGAIN)


def removal_name(field: ChannelField) -> str:
    """Return the name of the box that removes the stored value of a secret field."""
    return f"{field.form_name}-remove"


def _removal(field: ChannelField) -> forms.BooleanField:
    label = gettext("Remove the stored value of “%(field)s”") % {"field": field.form_field.label}
    return forms.BooleanField(label=label, required=False, widget=CheckBox)


def _stored_credentials(configuration: ChannelConfiguration | None) -> dict[str, object]:
    try:
        return decrypt(configuration.credentials) if configuration else {}
    except ConfigurationError:
        return {}  # They have to be entered again; all other fields can still be changed.


def _customer_help(customer: LoadedCustomer | None) -> str:
    if customer is None:
        return ""
    if customer.problem:
        text = gettext("The UUID could not be checked. %(problem)s")
        return text % {"problem": customer.problem}
    if customer.is_missing:
        return gettext("The catalog service has no customer with this UUID. Correct it, or delete this configuration.")
    return gettext("This is the customer “%(name)s”.") % {"name": customer.name}
