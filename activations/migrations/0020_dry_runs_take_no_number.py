"""Only runs that may send have a number of their own. A dry run has the number of the run that it previews."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("activations", "0019_pages_of_large_installations")]

    operations = [
        migrations.RemoveConstraint("run", "run_number_once"),
        migrations.AddConstraint(
            "run",
            models.UniqueConstraint(
                fields=("activation", "number"), condition=models.Q(("dry_run", False)), name="run_number_once"
            ),
        ),
    ]
