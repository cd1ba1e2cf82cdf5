from typing import Any

from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def heal_what_was_healed(apps: Any, schema_editor: Any) -> None:
    """What was over for everybody is over for each."""
    incidents = apps.get_model("rooms", "Incident").objects.filter(pk=OuterRef("incident"))
    apps.get_model("rooms", "Report").objects.update(healed_at=Subquery(incidents.values("healed_at")[:1]))


class Migration(migrations.Migration):
    dependencies = [("rooms", "0001_initial")]

    operations = [
        migrations.AddField(model_name="report", name="healed_at", field=models.DateTimeField(null=True)),
        migrations.RunPython(heal_what_was_healed, migrations.RunPython.noop),
    ]
