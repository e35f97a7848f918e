from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def keep_the_choice(apps, schema_editor):
    """Mappings of activations that ran keep the current choice; the others follow their activation until the first run."""
    mappings = apps.get_model("activations", "FieldMapping").objects
    activations = apps.get_model("activations", "Activation").objects
    ran = mappings.filter(activation__generations__isnull=False).values("pk")
    mappings.exclude(pk__in=ran).update(planned_at=None)
    choice = activations.filter(pk=OuterRef("activation_id")).values("backfill")
    mappings.filter(pk__in=ran).update(backfill=Subquery(choice))


class Migration(migrations.Migration):

    dependencies = [
        ('activations', '0011_reword_help_texts'),
    ]

    operations = [
        migrations.AlterField(
            model_name='activation',
            name='backfill',
            field=models.CharField(choices=[('all', 'For all records'), ('new', 'From now on')], default='all', help_text='Whether a field that is mapped later is also sent for records that were synchronized before. The first run with the field settles it.', max_length=10),
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
            field=models.CharField(blank=True, choices=[('all', 'For all records'), ('new', 'From now on')], editable=False, help_text="The activation's choice when a run first planned with this mapping. Until then, it can change.", max_length=10),
        ),
        migrations.RunPython(keep_the_choice, migrations.RunPython.noop),
    ]
