"""The limits of warnings are one column, which stores only what differs from the defaults."""

from django.db import migrations, models

BEFORE = {"rejected_percent": 5, "invalid_percent": 5, "size_change_percent": 30}


def collect(apps, schema_editor):
    for row in apps.get_model("activations", "Activation").objects.only("pk", *BEFORE):
        differing = {name: getattr(row, name) for name, default in BEFORE.items() if getattr(row, name) != default}
        if differing:
            type(row).objects.filter(pk=row.pk).update(thresholds=differing)


def spread(apps, schema_editor):
    for row in apps.get_model("activations", "Activation").objects.exclude(thresholds={}).only("pk", "thresholds"):
        kept = {name: value for name, value in row.thresholds.items() if name in BEFORE and value is not None}
        if kept:
            type(row).objects.filter(pk=row.pk).update(**kept)


class Migration(migrations.Migration):
    dependencies = [("activations", "0029_settle_slots_of_schedules")]

    operations = [
        migrations.AddField(
            "activation",
            "thresholds",
            models.JSONField(
                blank=True, default=dict, help_text="The limits of warnings that differ from their defaults, by key."
            ),
        ),
        migrations.RunPython(collect, spread),
        migrations.RemoveField("activation", "rejected_percent"),
        migrations.RemoveField("activation", "invalid_percent"),
        migrations.RemoveField("activation", "size_change_percent"),
    ]
