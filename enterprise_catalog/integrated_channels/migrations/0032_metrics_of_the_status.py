"""Add what the metrics of the fleet read of each configuration: the cause of a stop, and the longest wait."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrated_channels", "0031_serve_lists_and_charts_from_indexes")]

    operations = [
        migrations.AddField(
            model_name="configurationstatus",
            name="stop_cause",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text=(
                    "Kind of error that ended the last run early; see StopCause. Empty if the run went to its end."
                ),
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="configurationstatus",
            name="due_since",
            field=models.DateTimeField(
                help_text=(
                    "When the LMS fell out of date for the item that waits longest. Empty if no item is due."
                ),
                null=True,
                verbose_name="due since",
            ),
        ),
    ]
