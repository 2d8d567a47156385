"""Schedule notifications every minute, and add the permissions of subscriptions to the groups."""

from django.db import migrations

_MODELS = {"notification": "event", "subscription": "subscription", "delivery": "delivery"}
_VIEW = tuple((model, f"view_{model}", f"Can view {name}") for model, name in _MODELS.items())
_CHANGE = tuple(("subscription", f"{verb}_subscription", f"Can {verb} subscription") for verb in ("add", "change", "delete"))
#: Group -> its new permissions: model, codename and name.
_GROUPS = {
    "Integration auditor": _VIEW,
    "Integration support": _VIEW,
    "Integration operator": (*_VIEW, *_CHANGE),
}


def schedule(apps, schema_editor):
    """Add the task to the schedule; from then on, the schedule is edited in the admin."""
    interval, _ = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(
        every=1, period="minutes"
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Notify subscribers of events", defaults={"task": "notify", "interval": interval}
    )


def extend_groups(apps, schema_editor):
    """Add the permissions to the groups that exist: a deleted group stays deleted."""
    alias = schema_editor.connection.alias
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(alias)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    for group in apps.get_model("auth", "Group").objects.using(alias).filter(name__in=_GROUPS):
        for model, codename, name in _GROUPS[group.name]:
            content_type, _ = content_types.get_or_create(app_label="integrated_channels", model=model)
            permission, _ = permissions.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": name}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("integrated_channels", "0036_comparisons"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        # Going back leaves the schedule and the permissions, which may have been edited by then.
        migrations.RunPython(schedule, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(extend_groups, migrations.RunPython.noop, elidable=False),
    ]
