"""Golden files: the requests that an LMS gets, as JSON."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def read_golden(folder: Path, name: str, found: object) -> Any:
    """Return the content of the golden file ``name``. With ``UPDATE_GOLDEN=1``, write ``found`` to the file first."""
    path = folder / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))
