"""Options shared by commands for one configuration: ``--configuration`` and ``--reason``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.core.management.base import CommandError

from enterprise_catalog.integrated_channels.models import ChannelConfiguration

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

#: The name in the decision log. The user of a command is unknown.
BY: Final = "a command"


def add_configuration_option(parser: CommandParser) -> None:
    """Add the required option ``--configuration ID``."""
    parser.add_argument("--configuration", type=int, required=True, metavar="ID")


def add_reason_option(parser: CommandParser) -> None:
    """Add the option ``--reason TEXT``."""
    parser.add_argument("--reason", default="", metavar="TEXT", help="reason for the decision log")


def configuration_of(pk: int, *, is_restored: bool = False) -> ChannelConfiguration:
    """Return the configuration with this id.

    Args:
        is_restored: the command restores the configuration if it is deleted. For other commands, a deleted one does not
            exist.

    Raises:
        CommandError: there is no configuration with this id; exit code 2.
    """
    rows = ChannelConfiguration.objects.all() if is_restored else ChannelConfiguration.objects.not_deleted()
    configuration = rows.filter(pk=pk).first()
    if configuration is None:
        raise CommandError(f"there is no configuration {pk}", returncode=2)
    return configuration
