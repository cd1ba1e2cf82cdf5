import django.db.models.deletion
from django.db import migrations, models

import visualizer.sharing.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("visualizer", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Share",
            fields=[
                (
                    "token",
                    models.CharField(
                        default=visualizer.sharing.models.new_token, max_length=43, primary_key=True, serialize=False
                    ),
                ),
                ("files", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "cluster",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="shares", to="visualizer.cluster"
                    ),
                ),
            ],
        ),
    ]
