"""Which learning systems the proofs are about."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.integrated_channels.proofs.systems.base import LearningSystem

#: Of their modules.
NAMES: Final = ("moodle", "canvas", "sap", "cornerstone")


def system(name: str) -> LearningSystem:
    """Return the learning system of a name; the others are not loaded, since some take their time."""
    found: LearningSystem = import_module(f"{__package__}.{name}").SYSTEM
    return found
