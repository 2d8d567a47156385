"""What a complete run remembers of its catalogs; empty until each configuration's next run, which asks for a diff."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrated_channels", "0002_schedule_syncs")]

    operations = [
        migrations.AddField(
            model_name="channelconfiguration",
            name="last_full_etag",
            field=models.CharField(
                blank=True,
                default="",
                editable=False,
                help_text="The ETag of the customer's catalogs that the learning system equals; empty if it may differ.",
                max_length=255,
            ),
        ),
        migrations.AddField(
            model_name="channelconfiguration",
            name="last_full_scope",
            field=models.CharField(
                blank=True,
                default="",
                editable=False,
                help_text="SHA-256 of the settings that the ETag holds for.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="channelconfiguration",
            name="last_full_items",
            field=models.PositiveIntegerField(
                default=0, editable=False, help_text="How many items the catalogs had then."
            ),
        ),
    ]
