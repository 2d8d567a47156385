"""Schedule the look for due configurations every five minutes; from then on the schedule is edited in the admin."""

from django.db import migrations


def schedule(apps, schema_editor):
    interval, _ = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(every=5, period="minutes")
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Sync the channel configurations that are due",
        defaults={"task": "sync_due_configurations", "interval": interval},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("integrated_channels", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    # Going back leaves the schedule, which may have been edited by then.
    operations = [migrations.RunPython(schedule, migrations.RunPython.noop)]
