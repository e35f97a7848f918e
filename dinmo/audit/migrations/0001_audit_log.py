"""The audit log, and the triggers that prevent changes to it."""

from typing import Any

from django.db import migrations, models

from dinmo.audit import append_only


def protect(_apps: Any, schema_editor: Any) -> None:
    append_only.protect(schema_editor.connection)


def unprotect(_apps: Any, schema_editor: Any) -> None:
    append_only.unprotect(schema_editor.connection)


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='AuditDoor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('deletable_before', models.DateTimeField(null=True)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('actor_kind', models.CharField(help_text='A core.audit.Kind.', max_length=10, verbose_name='who')),
                ('actor_id', models.BigIntegerField(null=True)),
                ('actor_label', models.CharField(max_length=200, verbose_name='name')),
                ('address', models.CharField(blank=True, max_length=64)),
                ('verb', models.CharField(help_text='A core.audit.Verb.', max_length=20, verbose_name='what')),
                ('object_type', models.CharField(blank=True, help_text='The label of its table, such as activations.activation.', max_length=60, verbose_name='kind of object')),
                ('object_id', models.BigIntegerField(null=True)),
                ('object_name', models.CharField(blank=True, help_text='Its name at that time.', max_length=300, verbose_name='object')),
                ('changes', models.JSONField(default=dict, help_text='Field → before and after, in the words of the screens.')),
                ('run', models.BigIntegerField(help_text='The ID of the run that it is about.', null=True)),
                ('request', models.CharField(help_text='The same for everything that one request or command did.', max_length=64)),
            ],
            options={
                'verbose_name': 'audit log entry',
                'verbose_name_plural': 'audit log',
                'ordering': ['-pk'],
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['object_type', 'object_id', 'id'], name='audit_of_object'), models.Index(fields=['actor_kind', 'actor_id', 'id'], name='audit_of_actor'), models.Index(fields=['verb', 'id'], name='audit_of_verb'), models.Index(fields=['run', 'id'], name='audit_of_run'), models.Index(fields=['at'], name='audit_by_time')],
            },
        ),
        migrations.RunPython(protect, unprotect),
    ]
