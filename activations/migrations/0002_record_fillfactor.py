"""PostgreSQL: leaves room in the pages of the baseline, so that its many updates touch no index."""

from django.db import migrations


def leave_room(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE activations_record SET (fillfactor = 80)")


class Migration(migrations.Migration):
    dependencies = [("activations", "0001_initial")]
    operations = [migrations.RunPython(leave_room, migrations.RunPython.noop)]
