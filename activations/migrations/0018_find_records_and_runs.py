"""Indexes to find records by the beginning of a text, in any case, and the latest runs of an activation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations, models

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

PREFIXES = ("name", "key", "match_identity", "remote_id")
EXPRESSIONS = {
    # Cut off, because an index can't hold longer texts.
    "postgresql": "(upper(left({name}, 100)) text_pattern_ops) WHERE {name} <> ''",
    "sqlite": "(upper({name}))",
}
"""In SQL, because Django can't describe one index for both databases. See `screens.timeline.found_records`."""


def create(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    expression = EXPRESSIONS[schema_editor.connection.vendor]
    for name in PREFIXES:
        schema_editor.execute(
            f"CREATE INDEX change_begins_{name} ON activations_change {expression.format(name=name)}"
        )


def drop(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for name in PREFIXES:
        schema_editor.execute(f"DROP INDEX IF EXISTS change_begins_{name}")


class Migration(migrations.Migration):
    dependencies = [("activations", "0017_when_compared_and_not_accepted")]

    operations = [
        migrations.RunPython(create, drop),
        migrations.AlterModelOptions("change", {"ordering": ["pk"], "verbose_name": "record"}),
        migrations.AddIndex("run", models.Index(fields=["activation", "-id"], name="run_newest")),
        migrations.AddIndex("run", models.Index(fields=["finished_at"], name="run_finished")),
    ]
