"""Deletes what previews of killed processes left. They were numbered from `FIRST_PREVIEW`.

A migration of its own: PostgreSQL can't change a table in the transaction that deleted its rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FIRST_PREVIEW = 2_000_000_000


def delete_previews(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Deletes what killed processes left. Previews were numbered from `FIRST_PREVIEW`."""
    runs = apps.get_model("activations", "Run").objects.filter(number__gte=FIRST_PREVIEW)
    apps.get_model("activations", "Change").objects.filter(run__in=runs).delete()
    runs.delete()


class Migration(migrations.Migration):
    dependencies = [("activations", "0023_system_pauses_and_requests")]

    operations = [migrations.RunPython(delete_previews, migrations.RunPython.noop, elidable=True)]
