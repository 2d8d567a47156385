"""Times of change become the text that the API serves (docs/decisions/0011)."""

from django.db import migrations
from django.db.models import CharField, Value
from django.db.models.functions import Concat, Replace, Substr

from enterprise_catalog.catalog.timestamps import TimestampField

_COLUMNS = (
    ("ContentMetadata", "updated_at"),
    ("CatalogMembership", "updated_at"),
    ("CatalogQuery", "content_changed_at"),
    ("EnterpriseCatalog", "documents_changed_at"),
)


def write_as_served(apps, schema_editor):
    """``2026-11-23 20:44:01.123456`` -> ``2026-11-23T20:44:01.123456Z``; SQLite leaves microseconds of 0 out."""
    for model, column in _COLUMNS:
        padded = Concat(column, Value(".000000"), output_field=CharField())
        text = Replace(Substr(padded, 1, len("2026-11-23 20:44:01.123456")), Value(" "), Value("T"))
        _rewrite(apps, model, column, Concat(text, Value("Z"), output_field=CharField()))


def write_as_databases_do(apps, schema_editor):
    """``2026-11-23T20:44:01.123456Z`` -> ``2026-11-23 20:44:01.123456``."""
    for model, column in _COLUMNS:
        text = Replace(column, Value("T"), Value(" "), output_field=CharField())
        _rewrite(apps, model, column, Replace(text, Value("Z"), Value(""), output_field=CharField()))


def _rewrite(apps, model, column, expression):
    # Concat() makes an empty text of NULL.
    rows = apps.get_model("catalog", model).objects.filter(**{f"{column}__isnull": False})
    rows.update(**{column: expression})


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.AlterField("contentmetadata", "updated_at", TimestampField()),
        migrations.AlterField("catalogmembership", "updated_at", TimestampField()),
        migrations.AlterField("catalogquery", "content_changed_at", TimestampField(null=True, editable=False)),
        migrations.AlterField("enterprisecatalog", "documents_changed_at", TimestampField(null=True, editable=False)),
        migrations.RunPython(write_as_served, write_as_databases_do),
    ]
