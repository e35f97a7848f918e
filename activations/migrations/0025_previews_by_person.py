"""Marks previews by the person who looks at them, instead of by their number."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("activations", "0024_delete_previews"),
    ]

    operations = [
        migrations.AddField(
            "run",
            "previewed_by",
            models.ForeignKey(
                help_text="Set for a preview of a request, which is not a run: the person who looks at it. "
                "It is deleted as soon as it is shown.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
