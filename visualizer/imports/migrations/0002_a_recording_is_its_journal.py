import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("visualizer", "0011_branches"), ("imports", "0001_initial")]

    operations = [
        migrations.DeleteModel(name="Opened"),
        migrations.AddField(model_name="import", name="kind", field=models.CharField(default="", max_length=7)),
        migrations.AddField(model_name="import", name="began_ns", field=models.BigIntegerField(default=0)),
        migrations.CreateModel(
            name="JournalPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("n", models.PositiveSmallIntegerField()),
                ("data", models.BinaryField()),
                (
                    "cluster",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="journal_parts",
                        to="visualizer.cluster",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("cluster", "n"), name="one_part_of_a_journal_has_this_number")
                ],
            },
        ),
    ]
