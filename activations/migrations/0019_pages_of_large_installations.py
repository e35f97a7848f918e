"""Indexes for records that wait for a retry, and for the dates of runs: pages of large installations."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("activations", "0018_find_records_and_runs")]

    operations = [
        migrations.AddIndex(
            "record",
            models.Index(condition=~Q(tried="") & Q(left_at=None), fields=["generation", "id"], name="record_to_retry"),
        ),
        migrations.AddIndex("run", models.Index(fields=["created_at"], name="run_created")),
    ]
