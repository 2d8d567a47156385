# Changes only the choices of a column, and a help text.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrated_channels', '0027_serve_the_audit_view_from_indexes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='decision',
            name='action',
            field=models.CharField(choices=[('sync_now', 'sync now'), ('approve_deletes', 'approve held deletes'), ('keep_items', 'keep held items'), ('delete_kept', 'delete kept items'), ('send_again', 'send again'), ('requeue', 'requeue dead letters'), ('resend_all', 'resend all'), ('adopt', 'adopt'), ('pause', 'pause'), ('resume', 'resume'), ('delete', 'delete the configuration'), ('replace_credentials', 'replace credentials')], db_index=True, max_length=32, verbose_name='action'),
        ),
        migrations.AlterField(
            model_name='channelconfiguration',
            name='last_full_items',
            field=models.PositiveIntegerField(default=0, editable=False, help_text='Number of items in the catalogs, without rejected ones, when the ETag was stored.', verbose_name='last full items'),
        ),
    ]
