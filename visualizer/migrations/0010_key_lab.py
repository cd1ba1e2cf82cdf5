"""Clusters whose API server agrees on keys by RSA; that of those that are there does not."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("visualizer", "0009_audit"),
    ]

    operations = [
        migrations.AddField(
            model_name="cluster",
            name="key_lab",
            field=models.BooleanField(default=False),
        ),
    ]
