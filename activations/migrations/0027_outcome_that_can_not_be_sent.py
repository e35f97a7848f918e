"""The label of invalid records is the same on every screen. Nothing changes in the database."""

from __future__ import annotations

from django.db import migrations, models

OUTCOMES = [
    ("", "Not settled"),
    ("accepted", "Accepted"),
    ("rejected", "Rejected"),
    ("invalid", "Can't be sent"),
    ("skipped", "Skipped"),
    ("unknown", "Unknown"),
    ("not_sent", "Not sent"),
]
TRIED = [("", "Nothing"), ("rejected", "Rejected"), ("skipped", "Skipped"), ("invalid", "Can't be sent")]


class Migration(migrations.Migration):
    dependencies = [("activations", "0026_warnings_without_a_run")]

    operations = [
        migrations.AlterField(
            "change", "outcome", models.CharField(blank=True, choices=OUTCOMES, default="", max_length=10)
        ),
        migrations.AlterField("record", "tried", models.CharField(blank=True, choices=TRIED, default="", max_length=10)),
    ]
