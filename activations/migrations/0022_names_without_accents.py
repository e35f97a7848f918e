"""Names of records without accents, so that "munchen" finds "München"; filled in for what earlier versions stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import migrations, models
from django.db.models import Q

from activations.storage import bulk, plain_names

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ROWS_AT_A_TIME = 20_000


def fill(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Batch by batch, so that neither memory nor a transaction grows with the number of changes."""
    model, last = apps.get_model("activations", "Change"), 0
    names = model.objects.order_by("pk").values_list("pk", "name")
    while batch := list(names.filter(pk__gt=last)[:ROWS_AT_A_TIME]):
        last = batch[-1][0]
        plain = [(pk, plain_names.of(name)) for pk, name in batch if not name.isascii()]
        bulk.update(model, {}, "id", ["plain_name"], plain)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("activations", "0021_schedules_guards_and_alerts")]

    operations = [
        # Null without a default, so that SQLite adds it without copying the table, which would drop 0018's indexes.
        migrations.AddField(
            "change",
            "plain_name",
            models.TextField(
                help_text="The beginning of the name without accents, in lowercase. Null if the name is ASCII.",
                null=True,
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            "change",
            models.Index(
                condition=Q(plain_name__isnull=False),
                fields=["plain_name"],
                name="change_plain_name",
                opclasses=["text_pattern_ops"],
            ),
        ),
    ]
