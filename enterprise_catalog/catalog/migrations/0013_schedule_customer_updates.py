"""Schedule the updates of customers from the LMS; from then on the schedule is edited in the admin."""

from django.db import migrations


def schedule(apps, schema_editor):
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    every_10_minutes, _ = intervals.get_or_create(every=10, period="minutes")
    tasks.get_or_create(
        name="Update customers from the Open edX LMS",
        defaults={"task": "update_customers", "interval": every_10_minutes},
    )


class Migration(migrations.Migration):
    dependencies = [("catalog", "0012_enrollment_urls"), ("django_celery_beat", "0019_alter_periodictasks_options")]
    # Going back leaves the schedule, which may have been edited by then.
    operations = [migrations.RunPython(schedule, migrations.RunPython.noop)]
