"""Indexes for what lists and the overview count, and for the records that left."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('activations', '0031_compare_first'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='run',
            name='run_state',
        ),
        migrations.RemoveIndex(
            model_name='run',
            name='run_created',
        ),
        migrations.AddIndex(
            model_name='record',
            index=models.Index(condition=models.Q(('left_at', None), _negated=True), fields=['generation', 'left_at'], name='record_left'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['state', '-id'], name='run_by_state'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('previewed_by', None)), fields=['created_at'], name='run_created_at'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('previewed_by', None)), fields=['trigger', 'created_at'], name='run_trigger'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('dry_run', False), ('previewed_by', None)), fields=['finished_at'], include=('accepted', 'created', 'rejected', 'invalid', 'unknown', 'not_sent'), name='run_totals'),
        ),
    ]
