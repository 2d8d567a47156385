"""All that a run reads of what is settled is in one index, and its versions are the text that the catalog serves."""

from django.db import migrations, models

from enterprise_catalog.db.timestamps import TimestampField, rewrite_as_databases_do, rewrite_as_served

_MODEL = "contentmetadataitemtransmission"
_COLUMNS = ("content_updated_at", "attempted_updated_at")


def write_as_served(apps, schema_editor):
    for column in _COLUMNS:
        rewrite_as_served(apps.get_model("integrated_channels", _MODEL).objects.all(), column)


def write_as_databases_do(apps, schema_editor):
    for column in _COLUMNS:
        rewrite_as_databases_do(apps.get_model("integrated_channels", _MODEL).objects.all(), column)


class Migration(migrations.Migration):
    dependencies = [("integrated_channels", "0008_feeds_of_pulled_channels")]

    operations = [
        migrations.RemoveIndex(_MODEL, "transmission_by_state"),
        migrations.AlterField(
            _MODEL,
            "content_updated_at",
            TimestampField(null=True, help_text="The version that the learning system holds."),
        ),
        migrations.AlterField(
            _MODEL,
            "attempted_updated_at",
            TimestampField(null=True, help_text="The version that was last tried."),
        ),
        migrations.RunPython(write_as_served, write_as_databases_do),
        migrations.AddIndex(
            _MODEL,
            models.Index(
                fields=("configuration", "state", "due_since", "content_key", "content_updated_at", "catalog_uuid"),
                name="transmission_by_state",
            ),
        ),
    ]
