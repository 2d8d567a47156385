"""The columns that several tables have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def count_field(name: StrOrPromise, help_text: StrOrPromise) -> models.PositiveIntegerField[int, int]:
    """Return a column for a number of items; 0 by default."""
    return models.PositiveIntegerField(name, default=0, help_text=help_text)
