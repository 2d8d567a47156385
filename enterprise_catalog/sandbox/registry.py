"""Channel code -> sandbox, and service -> sandbox. To add a sandbox, add one line here."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from enterprise_catalog.sandbox.blackboard.api import UNHURRIED_CALLS_PER_DAY, BlackboardSandbox
from enterprise_catalog.sandbox.canvas.api import CanvasSandbox
from enterprise_catalog.sandbox.cornerstone.portal import CornerstoneSandbox
from enterprise_catalog.sandbox.degreed.api import UNHURRIED_CALLS_PER_MINUTE, DegreedSandbox
from enterprise_catalog.sandbox.moodle.web_service import MoodleSandbox
from enterprise_catalog.sandbox.open_edx.api import OpenEdxSandbox
from enterprise_catalog.sandbox.sap.api import NO_WINDOW_MS, SAPSandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from enterprise_catalog.sandbox.application import SandboxApplication

#: Channel code -> factory. A new sandbox has its published credentials and no content.
SANDBOXES: Mapping[str, Callable[[], SandboxApplication]] = MappingProxyType(
    {
        "BLACKBOARD": partial(BlackboardSandbox, calls_per_day=UNHURRIED_CALLS_PER_DAY),
        "CANVAS": CanvasSandbox,
        "CSOD": CornerstoneSandbox,
        "DEGREED2": partial(DegreedSandbox, calls_per_minute=UNHURRIED_CALLS_PER_MINUTE),
        "MOODLE": MoodleSandbox,
        "SAP": partial(SAPSandbox, window_ms=NO_WINDOW_MS),
    }
)

#: Services that the catalog service calls -> factory. A new sandbox has its published credentials and no content.
SERVICES: Mapping[str, Callable[[], OpenEdxSandbox]] = MappingProxyType({"OPEN_EDX": OpenEdxSandbox})
