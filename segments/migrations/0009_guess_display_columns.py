"""Guesses the display column of the models that exist."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from segments.sources.display import guess


def forwards(apps: Any, _editor: Any) -> None:
    columns = apps.get_model("segments", "Column")
    for model in apps.get_model("segments", "DataModel").objects.filter(display_column=""):
        types = dict(columns.objects.filter(model=model, used=True, definition={}).values_list("name", "type"))
        model.display_column = guess(types, model.primary_key)
        model.save(update_fields=["display_column"])


class Migration(migrations.Migration):
    dependencies = [("segments", "0008_display_column")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
