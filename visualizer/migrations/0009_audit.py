"""Clusters that keep an audit log; those that are there keep none."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("visualizer", "0008_etcd_members"),
    ]

    operations = [
        migrations.AddField(
            model_name="cluster",
            name="audit",
            field=models.BooleanField(default=False),
        ),
    ]
