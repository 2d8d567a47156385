"""Values that a local site keeps in files: secrets that it generates once, and the port that it was last started on."""

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
        _write(path, make(), overwrite=False)
    return path.read_text(encoding="utf-8")


def chosen(path: Path, value: str | None, *, default: str) -> str:
    """Return ``value`` and store it at ``path``; without a value return the stored one, or else ``default``."""
    if not value:
        return path.read_text(encoding="utf-8") if path.exists() else default
    _write(path, value, overwrite=True)
    return value


def _write(path: Path, text: str, *, overwrite: bool) -> None:
    """Write a file in one step, readable by its owner only; another process's file stays unless ``overwrite``."""
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
        pass  # Another process was faster; its text counts.
    finally:
        draft.unlink()
