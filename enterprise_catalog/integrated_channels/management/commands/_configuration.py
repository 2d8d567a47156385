"""What commands about one configuration share: the option that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.management.base import CommandError

from enterprise_catalog.integrated_channels.models import ChannelConfiguration

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


def add_configuration_option(parser: CommandParser) -> None:
    """Let the command name a configuration by its id."""
    parser.add_argument("--configuration", type=int, required=True, metavar="ID")


def configuration_of(pk: int) -> ChannelConfiguration:
    """Return the configuration.

    Raises:
        CommandError: there is none of that id; exit code 2.
    """
    configuration = ChannelConfiguration.objects.filter(pk=pk).first()
    if configuration is None:
        raise CommandError(f"there is no configuration {pk}", returncode=2)
    return configuration
