"""Up to which entry a run's inputs are the whole of it. What clients from outside said was not kept until now."""

from typing import Any

from django.db import migrations, models
from django.db.models import F


def of_before(apps: Any, schema_editor: Any) -> None:
    """What a client from outside said before this is not kept."""
    apps.get_model("visualizer", "Cluster").objects.filter(outside=True).update(whole_until=F("outside_seq") - 1)


class Migration(migrations.Migration):
    dependencies = [
        ("visualizer", "0012_outside_seq"),
    ]

    operations = [
        migrations.AddField(
            model_name="cluster",
            name="whole_until",
            field=models.PositiveBigIntegerField(null=True),
        ),
        migrations.RunPython(of_before, migrations.RunPython.noop),
        migrations.RemoveField(model_name="cluster", name="outside_seq"),
    ]
