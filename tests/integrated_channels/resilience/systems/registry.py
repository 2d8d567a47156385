"""The LMSs of the resilience tests, by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.integrated_channels.resilience.systems.base import VendorLMS

#: Names of modules in this folder.
NAMES: Final = ("moodle", "canvas", "sap", "cornerstone")


def system(name: str) -> VendorLMS:
    """Return the LMS with this name. Imports only its module: some modules load slowly."""
    found: VendorLMS = import_module(f"{__package__}.{name}").SYSTEM
    return found
