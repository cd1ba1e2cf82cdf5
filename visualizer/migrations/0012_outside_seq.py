"""Where in its journal a client from outside began to speak to a cluster; of those that are there: from the start."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("visualizer", "0011_branches"),
    ]

    operations = [
        migrations.AddField(
            model_name="cluster",
            name="outside_seq",
            field=models.PositiveBigIntegerField(default=1),
        ),
    ]
