"""Values that a local site stores in files: generated secrets, and the port of its last start."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read_or_create(path: Path, make: Callable[[], str]) -> str:
    """Return the text of the file at ``path``. Creates the file if it is missing, readable only by its owner.

    Several processes may start at once. The file is created atomically, and all processes read the same text.
    """
    if not path.exists():
        _write(path, make(), overwrite=False)
    return path.read_text(encoding="utf-8")


def write_or_read(path: Path, value: str | None, *, default: str) -> str:
    """Store ``value`` at ``path`` and return it. Without a value, return the stored one, otherwise ``default``."""
    if not value:
        return path.read_text(encoding="utf-8") if path.exists() else default
    _write(path, value, overwrite=True)
    return value


def _write(path: Path, text: str, *, overwrite: bool) -> None:
    """Write a file atomically, readable only by its owner. Keeps an existing file unless ``overwrite``."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    if overwrite:
        draft.replace(path)
        return
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # Another process created it first; its text is used.
    finally:
        draft.unlink()
