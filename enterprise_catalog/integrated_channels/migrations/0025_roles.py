"""Permissions of the audit view's actions, and groups of users that have them."""

from django.db import migrations

_VIEW = (
    ("channelconfiguration", "view_channelconfiguration", "Can view channel configuration"),
    ("contentmetadataitemtransmission", "view_contentmetadataitemtransmission", "Can view transmission"),
    ("transmissionattempt", "view_transmissionattempt", "Can view attempt"),
    ("syncrun", "view_syncrun", "Can view sync run"),
    ("decision", "view_decision", "Can view decision"),
    ("operation", "view_operation", "Can view operation"),
    ("operationitem", "view_operationitem", "Can view found item"),
)
_RETRY = (("contentmetadataitemtransmission", "retry_items", "Can send items again"),)
_OPERATE = (
    ("contentmetadataitemtransmission", "approve_deletes", "Can approve held deletes, or keep the items"),
    ("channelconfiguration", "operate_configurations", "Can sync, pause, resume and check configurations"),
    ("channelconfiguration", "add_channelconfiguration", "Can add channel configuration"),
    ("channelconfiguration", "change_channelconfiguration", "Can change channel configuration"),
)
#: Group -> its permissions: model, codename and name.
_GROUPS = {
    "Integration auditor": _VIEW,
    "Integration support": (*_VIEW, *_RETRY),
    "Integration operator": (*_VIEW, *_RETRY, *_OPERATE),
}


def create_groups(apps, schema_editor):
    """Create the groups, or add the permissions to groups with these names.

    Django creates permissions after all migrations. On a fresh database they do not exist yet and are created here.
    """
    alias = schema_editor.connection.alias
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(alias)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    groups = apps.get_model("auth", "Group").objects.using(alias)
    for group_name, wanted in _GROUPS.items():
        group, _ = groups.get_or_create(name=group_name)
        for model, codename, name in wanted:
            content_type, _ = content_types.get_or_create(app_label="integrated_channels", model=model)
            permission, _ = permissions.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": name}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("integrated_channels", "0024_pauses"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='channelconfiguration',
            options={'permissions': (('operate_configurations', 'Can sync, pause, resume and check configurations'),), 'verbose_name': 'channel configuration', 'verbose_name_plural': 'channel configurations'},
        ),
        migrations.AlterModelOptions(
            name='contentmetadataitemtransmission',
            options={'permissions': (('approve_deletes', 'Can approve held deletes, or keep the items'), ('retry_items', 'Can send items again')), 'verbose_name': 'transmission', 'verbose_name_plural': 'transmissions'},
        ),
        # Reversing keeps the groups: users may belong to them.
        migrations.RunPython(create_groups, migrations.RunPython.noop, elidable=False),
    ]
