"""At most one unfinished operation per configuration and kind. Ends all but the newest of existing ones."""

from django.db import migrations, models
from django.db.models import Case, Value, When
from django.utils import timezone

_UNFINISHED = ('waiting', 'running')


def end_duplicates(apps, schema_editor):
    """Mark all unfinished operations as failed for which there is a newer one. Their workers then write nothing."""
    operations = apps.get_model('integrated_channels', 'Operation').objects.using(schema_editor.connection.alias)
    seen, older = set(), []
    for pk, *subject in operations.filter(state__in=_UNFINISHED).order_by('-pk').values_list('pk', 'configuration', 'kind'):
        if tuple(subject) in seen:
            older.append(pk)
        seen.add(tuple(subject))
    for start in range(0, len(older), 1_000):
        operations.filter(pk__in=older[start : start + 1_000]).update(
            state='failed', message='The same action was started again.', finished_at=timezone.now()
        )


class Migration(migrations.Migration):

    dependencies = [
        ('integrated_channels', '0028_texts_of_columns'),
    ]

    operations = [
        migrations.RunPython(end_duplicates, migrations.RunPython.noop, elidable=True),
        migrations.AddField(
            model_name='operation',
            name='is_open',
            field=models.GeneratedField(db_persist=True, expression=Case(When(state__in=['waiting', 'running'], then=Value(value=True)), default=None), output_field=models.BooleanField(null=True)),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.UniqueConstraint(fields=('configuration', 'kind', 'is_open'), name='operation_runs_once'),
        ),
    ]
