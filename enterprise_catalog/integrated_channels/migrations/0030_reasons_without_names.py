"""Removes the names of users from the reasons of items, which customers see. The decision log keeps them."""

import re

from django.db import migrations

ROWS_AT_ONCE = 1_000
#: Beginning of a reason with the name of a user -> the same without it.
_NAMED = (
    (re.compile(r"^Queued again by .+?\. Previous reason: ", re.DOTALL), "Queued again by a user. Previous reason: "),
    (re.compile(r"^Left the catalogs; kept by .+\.$", re.DOTALL), "Left the catalogs; kept by a user."),
    (
        re.compile(r"^Left the catalogs; its delete was approved by .+\.$", re.DOTALL),
        "Left the catalogs; its delete was approved by a user.",
    ),
)


def remove_names(apps, schema_editor):
    """Replace the reasons in batches. Only items that no run has processed since the decision have one."""
    rows = apps.get_model("integrated_channels", "ContentMetadataItemTransmission").objects
    ids = sorted(rows.filter(state__in=("pending", "kept")).values_list("pk", flat=True))
    for start in range(0, len(ids), ROWS_AT_ONCE):
        changed = []
        for row in rows.filter(pk__in=ids[start : start + ROWS_AT_ONCE]).only("reason"):
            reason = without_name(row.reason)
            if reason != row.reason:
                row.reason = reason
                changed.append(row)
        rows.bulk_update(changed, ["reason"])


def without_name(reason):
    """Return the reason without the name of a user."""
    for pattern, replacement in _NAMED:
        reason = pattern.sub(replacement, reason)
    return reason


class Migration(migrations.Migration):
    dependencies = [("integrated_channels", "0029_run_each_operation_once")]
    operations = [migrations.RunPython(remove_names, migrations.RunPython.noop, elidable=True)]
