"""Clusters know which version they ran under last; those that are there were made by another."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("visualizer", "0006_system_pods"),
    ]

    operations = [
        migrations.AddField(
            model_name="cluster",
            name="revision",
            field=models.CharField(blank=True, max_length=16),
        ),
    ]
