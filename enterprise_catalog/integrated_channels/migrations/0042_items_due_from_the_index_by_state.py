"""Drop the index of items' waiting times: the index by state also serves its queries."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("integrated_channels", "0041_customers_subscriptions"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="contentmetadataitemtransmission",
            name="transmission_by_due_since",
        ),
    ]
