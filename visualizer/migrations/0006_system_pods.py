"""Clusters as kubeadm makes them; those that are there are without."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("visualizer", "0005_deeds"),
    ]

    operations = [
        migrations.AddField(
            model_name="cluster",
            name="system_pods",
            field=models.BooleanField(default=False),
        ),
    ]
