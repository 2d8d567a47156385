"""Start the clock above all versions; the logs of changes begin at the current versions."""

from django.db import migrations
from django.db.models import F, Max
from django.utils import timezone

_ROWS_PER_STATEMENT = 1_000


def start(apps, schema_editor):
    catalogs = apps.get_model("catalog", "EnterpriseCatalog").objects
    queries = apps.get_model("catalog", "CatalogQuery").objects
    clock = apps.get_model("catalog", "VersionClock").objects
    version_model = apps.get_model("catalog", "CatalogVersion")
    versions = set(queries.order_by().values_list("version", flat=True).distinct())
    newest = max(versions | {catalogs.aggregate(newest=Max("revision"))["newest"] or 0}, default=0)
    clock.get_or_create(pk=1, defaults={"version": newest})
    now = timezone.now()
    version_model.objects.bulk_create(
        (version_model(version=version, recorded_at=now) for version in sorted({*versions, newest})),
        batch_size=_ROWS_PER_STATEMENT,
        ignore_conflicts=True,
    )
    queries.exclude(version=0).update(logged_from=F("version"), logged_to=F("version"))


class Migration(migrations.Migration):
    dependencies = [("catalog", "0017_changes_since_a_version")]
    # Going back leaves the rows, whose tables go with them.
    operations = [migrations.RunPython(start, migrations.RunPython.noop)]
