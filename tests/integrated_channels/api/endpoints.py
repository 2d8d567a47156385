"""The URLs of the channels' API, as a caller writes them."""

from __future__ import annotations

from typing import Final

ROOT: Final = "/api/v1/integrated-channels/"
CONFIGURATIONS: Final = f"{ROOT}configurations/"
RUNS: Final = f"{ROOT}runs/"
TRANSMISSIONS: Final = f"{ROOT}transmissions/"
ATTEMPTS: Final = f"{ROOT}attempts/"
DECISIONS: Final = f"{ROOT}decisions/"
OVERVIEW: Final = f"{ROOT}overview/"
DIAGNOSIS: Final = f"{ROOT}diagnosis/"
OPERATIONS: Final = f"{ROOT}operations/"
SUBSCRIPTIONS: Final = f"{ROOT}subscriptions/"
