"""Branches: runs that go the way of another up to an instant; and where in the journal inputs were taken."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("visualizer", "0010_key_lab"),
    ]

    operations = [
        migrations.AddField(
            model_name="cluster",
            name="origin",
            field=models.CharField(blank=True, db_index=True, default="", max_length=32),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="cluster",
            name="parent",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="branches",
                to="visualizer.cluster",
            ),
        ),
        migrations.AddField(model_name="cluster", name="left_at", field=models.FloatField(null=True)),
        migrations.AddField(model_name="cluster", name="left_seq", field=models.PositiveBigIntegerField(null=True)),
        migrations.AddField(
            model_name="cluster",
            name="name",
            field=models.CharField(blank=True, default="", max_length=60),
            preserve_default=False,
        ),
        migrations.AddField(model_name="input", name="after", field=models.PositiveBigIntegerField(default=0)),
    ]
