from django.conf import settings
from django.db import migrations

from segments.permission_grants import extend

EDITORS = ("activations.change_activation",)
"""Until now, this permission was needed for all of it."""


def keep_rights(apps, schema_editor):
    extend(apps, "activations.run_activation", "Activations: run, cancel, pause and resume", "activation", EDITORS)
    extend(apps, "activations.approve_run", "Runs: approve and discard", "activation", EDITORS)
    extend(apps, "activations.change_triggertoken", "Can change trigger token", "triggertoken", EDITORS)


class Migration(migrations.Migration):

    dependencies = [
        ("activations", "0041_beat_lease_and_takeovers"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="activation",
            options={
                "ordering": ["name"],
                "permissions": [
                    ("run_activation", "Activations: run, cancel, pause and resume"),
                    ("approve_run", "Runs: approve and discard"),
                ],
            },
        ),
        migrations.RunPython(keep_rights, migrations.RunPython.noop, elidable=True),
    ]
