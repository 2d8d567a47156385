"""Remove old changes of catalogs every night; from then on the schedule is edited in the admin."""

from django.db import migrations


def schedule(apps, schema_editor):
    every_night, _ = apps.get_model("django_celery_beat", "CrontabSchedule").objects.get_or_create(
        minute="30", hour="5", timezone="UTC"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Remove old changes of catalogs",
        defaults={"task": "remove_old_content_changes", "crontab": every_night},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0018_start_the_clock"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    # Going back leaves the schedule, which may have been edited by then.
    operations = [migrations.RunPython(schedule, migrations.RunPython.noop)]
