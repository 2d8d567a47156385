"""Drop the index of customers' slugs: no query uses it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0020_name_of_a_restricted_course"),
    ]

    operations = [
        migrations.AlterField(
            model_name="enterprisecustomer",
            name="slug",
            field=models.SlugField(
                blank=True,
                db_index=False,
                help_text="The customer's part of enrollment URLs. Empty until it is known.",
                max_length=100,
                verbose_name="slug",
            ),
        ),
    ]
