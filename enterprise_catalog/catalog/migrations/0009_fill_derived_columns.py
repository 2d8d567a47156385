"""Fill the columns that repeat parts of documents.

Each batch is a transaction of its own: imports go on, and a migration that was interrupted continues. A row that an
import of an earlier release writes meanwhile gets its columns with the next import of the item.
"""

import orjson
from django.db import connection, migrations, transaction

from enterprise_catalog.catalog.documents import derive_columns

ROWS_AT_ONCE = 500
COLUMNS = ("content_uuid", "course_type", "advertised_run_key", "entitlement_sku", "is_active")


def fill(apps, schema_editor):
    rows = apps.get_model("catalog", "ContentMetadata").objects.filter(derived_from="").order_by("pk")
    after = 0
    while batch := list(rows.filter(pk__gt=after).select_related("document")[:ROWS_AT_ONCE]):
        with transaction.atomic():
            _fill(apps, [row for row in batch if hasattr(row, "document")])
        after = batch[-1].pk


def _fill(apps, rows):
    nested_run = apps.get_model("catalog", "NestedRun")
    runs = []
    for row in rows:
        derived = derive_columns(row.content_type, orjson.loads(bytes(row.document.json)))
        for name in COLUMNS:
            setattr(row, name, getattr(derived, name))
        row.derived_from = row.content_hash
        runs += [nested_run(content_id=row.pk, run_key=key) for key in sorted(derived.nested_runs)]
    _update(apps.get_model("catalog", "ContentMetadata"), rows)
    nested_run.objects.filter(content__in=rows).delete()
    nested_run.objects.bulk_create(runs)


def _update(model, rows):
    """Update the columns with an upsert, which takes a sixth of the CPU time of bulk_update(). All rows exist."""
    has_target = connection.features.supports_update_conflicts_with_target
    model.objects.bulk_create(
        rows,
        update_conflicts=True,
        update_fields=[*COLUMNS, "derived_from"],
        unique_fields=["pk"] if has_target else None,
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("catalog", "0008_derived_columns")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
