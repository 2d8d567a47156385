"""Indexes for case-insensitive searches by the beginning of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.backends.ddl_references import Statement


class TextIndex(models.Index):
    """An index that serves ``istartswith`` on its first column.

    ``istartswith`` becomes LIKE. MariaDB and MySQL use any index for it, because their default collations ignore case.
    SQLite needs an index with the collation NOCASE, which ignores the case of ASCII letters, as its LIKE does.
    """

    def create_sql(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, using: str = "", **kwargs: object
    ) -> Statement:
        fields_orders = self.fields_orders
        if schema_editor.connection.vendor == "sqlite":
            (first, order), *others = fields_orders
            self.fields_orders = [(first, f"COLLATE NOCASE {order}".strip()), *others]
        try:
            return super().create_sql(model, schema_editor, using=using, **kwargs)
        finally:
            self.fields_orders = fields_orders
