from django.db import migrations, models


def fill_from_warnings(apps, schema_editor):
    """Gives runs that opened a warning, or found it still open, the warning that they are known to have found."""
    runs = apps.get_model("activations", "Run").objects
    for warning in apps.get_model("activations", "Warning").objects.all():
        found = {"kind": warning.kind, "subject": warning.subject, "message": warning.message}
        for run in runs.filter(pk__in={warning.run_id} if warning.closed_at else {warning.run_id, warning.last_run_id}):
            run.found_warnings = [*run.found_warnings, found]
            run.save(update_fields=["found_warnings"])


class Migration(migrations.Migration):

    dependencies = [
        ('activations', '0012_choice_of_each_mapping'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='found_warnings',
            field=models.JSONField(default=list, help_text='What this run found to warn about: kind, subject and message of each.'),
        ),
        migrations.AlterField(
            model_name='warning',
            name='kind',
            field=models.CharField(choices=[('rejected_share', 'Many records rejected'), ('invalid_share', 'Many records failed validation'), ('empty_segment', 'No rows'), ('size_change', 'Large change in size'), ('missing_attribute', "Attribute can't be written"), ('changed_attribute', 'Attribute type changed'), ('run_failed', 'Run failed')], max_length=40),
        ),
        migrations.RunPython(fill_from_warnings, migrations.RunPython.noop),
    ]
