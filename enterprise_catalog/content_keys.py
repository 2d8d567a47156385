"""What both programs mean by a content key: text of 1 to 255 characters that is compared exactly.

Exactly means that case, accents and trailing spaces count, and that keys sort by code point, on every database. SQLite
does so by itself. MariaDB's and MySQL's default collations do not, and their ``…_bin`` ones still ignore trailing
spaces; hence the NO PAD ones here (docs/decisions/0003).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

MAX_KEY_LENGTH = 255  #: In characters (code points), not bytes.

_MARIADB_COLLATION = "utf8mb4_nopad_bin"
_MYSQL_COLLATION = "utf8mb4_0900_bin"

#: Sorts after every character, hence after every key that starts with the text before it.
_LAST_CHARACTER: Final = "\U0010ffff"


class ContentKeyField(models.CharField):  # type: ignore[type-arg]  # the stubs' parameters are not there at run time
    """A column that holds content keys; equality, order and uniqueness are those of the module's docstring."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", MAX_KEY_LENGTH)
        super().__init__(*args, **kwargs)

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters = super().db_parameters(connection)
        if (collation := exact_collation(connection)) is not None:
            parameters["collation"] = collation
        return parameters


def exact_collation(connection: BaseDatabaseWrapper) -> str | None:
    """Return the collation that compares text exactly; ``None`` where the database's own one does (SQLite)."""
    if connection.vendor != "mysql":
        return None
    is_mariadb = connection.mysql_is_mariadb  # type: ignore[attr-defined]  # only MySQL's wrapper has it
    return _MARIADB_COLLATION if is_mariadb else _MYSQL_COLLATION


def key_starts_with(prefix: str, *, column: str = "content_key") -> models.Q:
    """Return the condition that a content key is ``prefix`` or starts with it, exactly.

    A range of the index; LIKE would scan, and would take ``%`` and ``_`` for wildcards.
    """
    return models.Q((f"{column}__gte", prefix), (f"{column}__lt", prefix + _LAST_CHARACTER))
