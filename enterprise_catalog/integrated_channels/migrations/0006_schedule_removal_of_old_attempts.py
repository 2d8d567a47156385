"""Schedule the removal of old attempts once a day; from then on the schedule is edited in the admin."""

from django.db import migrations


def schedule(apps, schema_editor):
    interval, _ = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(every=1, period="days")
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Remove old attempts and runs",
        defaults={"task": "remove_old_attempts", "interval": interval},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("integrated_channels", "0005_hold_many_deletes"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    # Going back leaves the schedule, which may have been edited by then.
    operations = [migrations.RunPython(schedule, migrations.RunPython.noop)]
