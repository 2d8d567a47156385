"""Schedule the recording of the backlog once an hour; from then on the schedule is edited in the admin."""

from django.db import migrations


def schedule(apps, schema_editor):
    interval, _ = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(
        every=1, period="hours"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Record the backlog", defaults={"task": "record_backlog", "interval": interval}
    )


class Migration(migrations.Migration):
    dependencies = [
        ("integrated_channels", "0022_fill_configuration_status"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    # Going back leaves the schedule, which may have been edited by then.
    operations = [migrations.RunPython(schedule, migrations.RunPython.noop)]
