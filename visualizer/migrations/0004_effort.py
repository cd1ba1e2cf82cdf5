"""Work takes time: clusters that are there were made without, and must come back as they went."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("visualizer", "0003_mishaps"),
    ]

    operations = [
        migrations.AddField(
            model_name="cluster",
            name="effort",
            field=models.FloatField(default=0.0),
        ),
        migrations.AlterField(
            model_name="cluster",
            name="effort",
            field=models.FloatField(default=1.0),
        ),
    ]
