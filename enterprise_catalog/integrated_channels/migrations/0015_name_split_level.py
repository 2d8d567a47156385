from django.db import migrations, models


class Migration(migrations.Migration):
    """Renames the field ``halvings`` in the code only. The column keeps its name, so old and new code can run together."""

    dependencies = [
        ('integrated_channels', '0014_plain_english_texts'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField(
                    model_name='contentmetadataitemtransmission',
                    old_name='halvings',
                    new_name='split_level',
                ),
                migrations.AlterField(
                    model_name='contentmetadataitemtransmission',
                    name='split_level',
                    field=models.PositiveSmallIntegerField(db_column='halvings', default=0, help_text='How many times a call containing this item has been split since the item last had a result of its own.'),
                ),
            ],
        ),
    ]
