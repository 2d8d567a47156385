"""Content keys, shared by the catalog service and the sync engine: text of 1 to 255 characters, compared exactly.

Exactly means that case, accents and trailing spaces count, and that keys sort by code point, on every database. SQLite
does this by default. MariaDB's and MySQL's default collations do not, and their ``…_bin`` collations ignore trailing
spaces. This module therefore uses NO PAD collations (docs/decisions/0003).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

MAX_KEY_LENGTH = 255  #: In characters (code points), not bytes.

_MARIADB_COLLATION = "utf8mb4_nopad_bin"
_MYSQL_COLLATION = "utf8mb4_0900_bin"

#: The last code point: ``prefix + LAST_CHARACTER`` sorts after every text that starts with ``prefix``.
LAST_CHARACTER: Final = "\U0010ffff"


class ContentKeyField(models.CharField):  # type: ignore[type-arg]  # the stubs' parameters are missing at run time
    """A column of content keys: equality, order and uniqueness are exact, as described in the module's docstring."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", MAX_KEY_LENGTH)
        super().__init__(*args, **kwargs)

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, str | None]:
        parameters = super().db_parameters(connection)
        if (collation := exact_collation(connection)) is not None:
            parameters["collation"] = collation
        return parameters


def exact_collation(connection: BaseDatabaseWrapper) -> str | None:
    """Return the collation that compares text exactly; ``None`` where the default collation already does (SQLite)."""
    if connection.vendor != "mysql":
        return None
    is_mariadb = connection.mysql_is_mariadb  # type: ignore[attr-defined]  # only MySQL's wrapper has it
    return _MARIADB_COLLATION if is_mariadb else _MYSQL_COLLATION


def key_starts_with(prefix: str, *, column: str = "content_key") -> models.Q:
    """Return the condition that a content key is ``prefix`` or starts with it, compared exactly.

    The condition is a range of the index. LIKE would scan the table and treat ``%`` and ``_`` as wildcards.
    """
    return models.Q((f"{column}__gte", prefix), (f"{column}__lt", prefix + LAST_CHARACTER))
