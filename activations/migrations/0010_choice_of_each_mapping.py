from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def keep_the_choice(apps, schema_editor):
    """Mappings of activations that ran keep what their activation says now; the others follow it until their first run."""
    mappings = apps.get_model("activations", "FieldMapping").objects
    activations = apps.get_model("activations", "Activation").objects
    ran = mappings.filter(activation__generations__isnull=False).values("pk")
    mappings.exclude(pk__in=ran).update(planned_at=None)
    choice = activations.filter(pk=OuterRef("activation_id")).values("backfill")
    mappings.filter(pk__in=ran).update(backfill=Subquery(choice))


class Migration(migrations.Migration):

    dependencies = [
        ('activations', '0009_match_values'),
    ]

    operations = [
        migrations.AlterField(
            model_name='activation',
            name='backfill',
            field=models.CharField(choices=[('all', 'For all records'), ('new', 'From now on')], default='all', help_text='What a mapping that is added later does for records that are already there. The first run that has it settles it.', max_length=10),
        ),
        migrations.RenameField(
            model_name='fieldmapping',
            old_name='created_at',
            new_name='planned_at',
        ),
        migrations.AlterField(
            model_name='fieldmapping',
            name='planned_at',
            field=models.DateTimeField(editable=False, help_text='When a run first planned with it.', null=True),
        ),
        migrations.AddField(
            model_name='fieldmapping',
            name='backfill',
            field=models.CharField(blank=True, choices=[('all', 'For all records'), ('new', 'From now on')], editable=False, help_text="The activation's choice when a run first planned with this mapping; until then it may change.", max_length=10),
        ),
        migrations.RunPython(keep_the_choice, migrations.RunPython.noop),
    ]
