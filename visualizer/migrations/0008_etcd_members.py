"""Clusters whose etcd has several members; those that are there have one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("visualizer", "0007_revision"),
    ]

    operations = [
        migrations.AddField(
            model_name="cluster",
            name="etcd_members",
            field=models.PositiveSmallIntegerField(default=1),
        ),
    ]
