"""Values that a local site makes up once and then keeps in files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def kept(path: Path, make: Callable[[], str]) -> str:
    """Return the text of the file at ``path``; if there is none, first make it, readable by its owner only.

    Several processes may start at once: the file appears whole or not at all, and all of them read the same text.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # Another process was faster; its text counts.
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8")
