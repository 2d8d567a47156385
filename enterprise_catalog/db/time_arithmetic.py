"""Times that a database computes from a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import DateTimeField, Func, Value
from django.db.models.functions import Cast

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.expressions import Combinable
    from django.db.models.sql.compiler import SQLCompiler, _AsSqlType


class MinutesBefore(Func):
    """A time, a number of minutes before another one; to compare with a ``DateTimeField``.

    SQLite rounds it to milliseconds. No database can use an index for it: limit the rows by a constant time too.
    """

    template = "(%(expressions)s MINUTE)"
    arg_joiner = " - INTERVAL "

    def __init__(self, moment: datetime, minutes: Combinable) -> None:
        super().__init__(Cast(Value(moment), DateTimeField()), minutes, output_field=DateTimeField())

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> _AsSqlType:
        time_format = "%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f"
        return self.as_sql(
            compiler,
            connection,
            template=f"STRFTIME('{time_format}', %(expressions)s || ' minutes')",
            arg_joiner=", '-' || ",
            **context,
        )
