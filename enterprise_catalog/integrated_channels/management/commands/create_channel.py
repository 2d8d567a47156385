"""``create_channel``: create a configuration without the admin, and print its id."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import URLValidator

from enterprise_catalog.integrated_channels.access.configurations import new_configuration, save_configuration
from enterprise_catalog.integrated_channels.access.entry_checks import find_customer_problems, find_twin_problems
from enterprise_catalog.integrated_channels.channels.registry import CHANNELS
from enterprise_catalog.integrated_channels.exceptions import CatalogUnavailableError, ConfigurationError

if TYPE_CHECKING:
    from enterprise_catalog.integrated_channels.models import ChannelConfiguration

_MAX_NAME_LENGTH: Final = 255
#: Option -> argument of :func:`new_configuration`.
_ARGUMENTS: Final = {
    "channel": "channel_code",
    "customer_uuid": "customer_uuid",
    "display_name": "display_name",
    "base_url": "base_url",
    "channel_settings": "settings",
    "credentials": "credentials",
    "catalog_uuid": "catalog_uuids",
}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a UUID") from None


def _json_object(text: str) -> dict[str, object]:
    # The text may contain credentials, so no message repeats it.
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"invalid JSON: {error}") from None
    if not isinstance(value, dict):
        raise ArgumentTypeError("must be a JSON object")
    return value


def _name(text: str) -> str:
    if len(text) > _MAX_NAME_LENGTH:
        raise ArgumentTypeError(f"has more than {_MAX_NAME_LENGTH} characters")
    return text


def _url(text: str) -> str:
    try:
        URLValidator(schemes=["http", "https"])(text)
    except ValidationError:
        raise ArgumentTypeError(f"{text!r} is not an http or https URL") from None
    return text


class Command(BaseCommand):
    """Creates a configuration, unless it already exists or the catalog service does not have its customer.

    Exit code 2, with the names of the fields: settings or credentials do not fit the channel, customer or catalog are
    unknown, or the configuration already exists. Exit code 1: the catalog service gives no usable response.
    """

    help = "Create a channel configuration and print its id."

    def add_base_argument(self, parser: CommandParser, *args: str, **kwargs: object) -> None:
        """Omit Django's ``--settings``; see also ``enterprise_catalog/command_line.py``."""
        if "--settings" in args:
            parser.set_defaults(settings=None)
        else:
            super().add_base_argument(parser, *args, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--channel", choices=sorted(CHANNELS), required=True, metavar="CODE")
        parser.add_argument("--customer-uuid", type=_uuid, required=True, metavar="C")
        parser.add_argument(
            "--display-name", type=_name, default="", metavar="NAME", help="name of the configuration in the admin"
        )
        parser.add_argument("--base-url", type=_url, required=True, metavar="URL")
        names = ("--settings", "--lms-settings")
        parser.add_argument(*names, dest="channel_settings", type=_json_object, default={}, metavar="JSON")
        parser.add_argument("--credentials", type=_json_object, required=True, metavar="JSON")
        parser.add_argument(
            "--catalog-uuid", type=_uuid, action="append", default=[], metavar="U", help="may be repeated"
        )
        parser.add_argument(
            "--skip-customer-check", action="store_true", help="do not check that the catalog service has the customer"
        )

    def handle(self, *args: object, skip_customer_check: bool, **options: Any) -> None:
        try:
            configuration = new_configuration(**{name: options[option] for option, name in _ARGUMENTS.items()})
        except ConfigurationError as error:
            raise CommandError(error.message, returncode=2) from error
        problems = find_twin_problems(configuration)
        if not skip_customer_check:
            problems += self._find_customer_problems(configuration)
        if problems:
            raise CommandError(" ".join(problems), returncode=2)
        save_configuration(configuration)
        self.stdout.write(str(configuration.pk))

    def _find_customer_problems(self, configuration: ChannelConfiguration) -> list[str]:
        try:
            return find_customer_problems(configuration)
        except CatalogUnavailableError as error:
            self.stderr.write(f"The customer was not checked. {error.message}")
            return []
