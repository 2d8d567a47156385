"""Ask for changed customers every five seconds, and sweep once a day where the interval was the default of an hour."""

import django.core.validators
from django.db import migrations, models

HOUR, DAY = 60, 1_440


def schedule(apps, schema_editor):
    interval, _ = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(
        every=5, period="seconds"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Find the customers whose catalogs changed",
        defaults={"task": "sync_changed_configurations", "interval": interval, "expire_seconds": 30},
    )


def lengthen(apps, schema_editor):
    configurations = apps.get_model("integrated_channels", "ChannelConfiguration").objects
    configurations.filter(sync_interval_minutes=HOUR).update(sync_interval_minutes=DAY)


def shorten(apps, schema_editor):
    configurations = apps.get_model("integrated_channels", "ChannelConfiguration").objects
    configurations.filter(sync_interval_minutes=DAY).update(sync_interval_minutes=HOUR)


class Migration(migrations.Migration):
    dependencies = [
        ("integrated_channels", "0037_notify"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        # Going back leaves the schedule, which may have been edited by then.
        migrations.RunPython(schedule, migrations.RunPython.noop),
        migrations.RunPython(lengthen, shorten),
        migrations.AlterField(
            model_name="channelconfiguration",
            name="sync_interval_minutes",
            field=models.PositiveIntegerField(
                default=1440,
                help_text="Minutes from the end of one run to the start of the next. Changes in the catalogs are"
                " synced at once.",
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="sync interval minutes",
            ),
        ),
    ]
