"""Timestamps as text: stored in the same format that the API serves, to avoid conversions in scans.

The format is ISO 8601 in UTC, always with microseconds: ``2026-11-23T20:44:01.123456Z``. Sorting the texts sorts the
times.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.db import models
from django.db.models import CharField, Value
from django.db.models.functions import Concat, Replace, Substr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.expressions import Expression

    _Field = models.DateTimeField  # The type of its values in Python.
else:
    _Field = models.CharField  # The type of the column in the database.

TIMESTAMP_LENGTH: Final = 27  #: In characters.


def format_time(moment: datetime) -> str:
    """Return an aware time in UTC as text, in the format of the module's docstring."""
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


class TimestampField(_Field):  # type: ignore[type-arg]  # inferred by the Django plugin, as for Django's own fields
    """An aware time in UTC, stored as the text that the API serves.

    Models and querysets use ``datetime``; plain SQL reads the text. A driver takes longer to create a ``datetime`` than
    the database takes to find the row (docs/decisions/0011).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = TIMESTAMP_LENGTH
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Sequence[object], dict[str, object]]:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_length"]
        return name, path, args, kwargs

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, str | None]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "ascii_bin"  # One byte per character; MariaDB derives the character set.
        return parameters

    def to_python(self, value: object) -> object:
        return datetime.fromisoformat(value) if isinstance(value, str) else value

    def get_prep_value(self, value: object) -> object:
        return format_time(value) if isinstance(value, datetime) else super().get_prep_value(value)

    def from_db_value(
        self, value: str | None, _expression: Expression, _connection: BaseDatabaseWrapper
    ) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


def rewrite_as_served(rows: models.QuerySet[models.Model], column: str) -> None:
    """Rewrite a former ``DateTimeField`` column, with values such as ``2026-11-23 20:44:01.123456``, as served text."""
    padded = Concat(column, Value(".000000"), output_field=CharField())  # SQLite omits microseconds of 0.
    text = Replace(Substr(padded, 1, len("2026-11-23 20:44:01.123456")), Value(" "), Value("T"))
    _rewrite(rows, column, Concat(text, Value("Z"), output_field=CharField()))


def rewrite_as_databases_do(rows: models.QuerySet[models.Model], column: str) -> None:
    """Rewrite a column of served texts for use as a ``DateTimeField``; reverses :func:`rewrite_as_served`."""
    text = Replace(column, Value("T"), Value(" "), output_field=CharField())
    _rewrite(rows, column, Replace(text, Value("Z"), Value(""), output_field=CharField()))


def _rewrite(rows: models.QuerySet[models.Model], column: str, expression: Expression) -> None:
    # Concat() turns NULL into an empty string.
    rows.filter(**{f"{column}__isnull": False}).update(**{column: expression})
