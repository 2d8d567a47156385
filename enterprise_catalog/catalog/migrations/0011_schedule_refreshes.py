"""Schedule a refresh of all catalogs every night; from then on the schedule is edited in the admin."""

from django.db import migrations

_TASKS = (
    ("Refresh the catalogs from course-discovery", "refresh_catalogs", "3"),
    ("Remove old refreshes", "remove_old_refreshes", "5"),
)


def schedule(apps, schema_editor):
    crontabs = apps.get_model("django_celery_beat", "CrontabSchedule").objects
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    for name, task, hour in _TASKS:
        every_night, _ = crontabs.get_or_create(minute="0", hour=hour, timezone="UTC")
        tasks.get_or_create(name=name, defaults={"task": task, "crontab": every_night})


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0010_refreshes"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    # Going back leaves the schedule, which may have been edited by then.
    operations = [migrations.RunPython(schedule, migrations.RunPython.noop)]
