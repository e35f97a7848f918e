from django.conf import settings
from django.db import migrations

from segments.permission_grants import extend

READERS = ("segments.view_datamodel", "activations.view_change", "activations.change_activation")
"""Until now, each of these showed values of records."""


def keep_rights(apps, schema_editor):
    extend(apps, "segments.view_values", "Records: view values", "datamodel", READERS)


class Migration(migrations.Migration):

    dependencies = [
        ("segments", "0010_rows_of_models"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="datamodel",
            options={
                "ordering": ["name"],
                "permissions": [("view_values", "Records: view values")],
                "verbose_name": "model",
            },
        ),
        migrations.RunPython(keep_rights, migrations.RunPython.noop, elidable=True),
    ]
