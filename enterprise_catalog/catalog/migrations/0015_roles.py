"""Groups of users who watch and operate the catalogs."""

from django.db import migrations

_MODELS = {
    "enterprisecustomer": "enterprise customer",
    "enterprisecatalog": "enterprise catalog",
    "catalogquery": "catalog query",
    "contentmetadata": "content metadata",
    "catalogrefresh": "catalog refresh",
    "refreshchange": "change by a refresh",
}
_VIEW = tuple((model, f"view_{model}", f"Can view {name}") for model, name in _MODELS.items())
_OPERATE = (
    ("catalogrefresh", "request_refresh", "Can refresh catalogs"),
    ("catalogrefresh", "decide_refresh", "Can approve and reject held refreshes"),
    *(
        (model, f"{verb}_{model}", f"Can {verb} {_MODELS[model]}")
        for model in ("enterprisecustomer", "enterprisecatalog", "catalogquery")
        for verb in ("add", "change")
    ),
)
#: Group -> its permissions: model, codename and name.
_GROUPS = {"Catalog auditor": _VIEW, "Catalog operator": (*_VIEW, *_OPERATE)}


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
            content_type, _ = content_types.get_or_create(app_label="catalog", model=model)
            permission, _ = permissions.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": name}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("catalog", "0014_lists_in_order_of_titles"),
    ]

    operations = [
        # Reversing keeps the groups: users may belong to them.
        migrations.RunPython(create_groups, migrations.RunPython.noop, elidable=False),
    ]
