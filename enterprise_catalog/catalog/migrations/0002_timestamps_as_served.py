"""Times of change become the text that the API serves (docs/decisions/0011)."""

from django.db import migrations

from enterprise_catalog.db.timestamps import TimestampField, rewrite_as_databases_do, rewrite_as_served

_COLUMNS = (
    ("ContentMetadata", "updated_at"),
    ("CatalogMembership", "updated_at"),
    ("CatalogQuery", "content_changed_at"),
    ("EnterpriseCatalog", "documents_changed_at"),
)


def write_as_served(apps, schema_editor):
    for model, column in _COLUMNS:
        rewrite_as_served(apps.get_model("catalog", model).objects.all(), column)


def write_as_databases_do(apps, schema_editor):
    for model, column in _COLUMNS:
        rewrite_as_databases_do(apps.get_model("catalog", model).objects.all(), column)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.AlterField("contentmetadata", "updated_at", TimestampField()),
        migrations.AlterField("catalogmembership", "updated_at", TimestampField()),
        migrations.AlterField("catalogquery", "content_changed_at", TimestampField(null=True, editable=False)),
        migrations.AlterField("enterprisecatalog", "documents_changed_at", TimestampField(null=True, editable=False)),
        migrations.RunPython(write_as_served, write_as_databases_do),
    ]
