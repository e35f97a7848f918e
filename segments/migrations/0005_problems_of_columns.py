from typing import Any, ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar[Any] = [("segments", "0004_computed_fields")]

    operations: ClassVar[Any] = [
        migrations.RemoveField(model_name="datamodel", name="problem"),
        migrations.AddField(
            model_name="datamodel",
            name="problems",
            field=models.JSONField(
                blank=True,
                default=dict,
                editable=False,
                help_text="What the source has changed under columns that are used, by their names.",
            ),
        ),
    ]
