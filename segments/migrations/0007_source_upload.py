"""Notes which file was uploaded for which source, so that only that source replaces it."""

from django.db import migrations, models


def note_uploads(apps, _schema_editor):
    """For each file, the oldest source that reads it is the one for which it was uploaded."""
    noted = set()
    for source in apps.get_model("segments", "Source").objects.order_by("pk"):
        path = source.config.get("path") or ""
        if str(path).startswith("uploads/") and path not in noted and len(path) <= 400:
            noted.add(path)
            source.uploaded_path = path
            source.save(update_fields=["uploaded_path"])


class Migration(migrations.Migration):
    dependencies = [("segments", "0006_reword_help_texts")]

    operations = [
        migrations.AddField(
            model_name="source",
            name="uploaded_path",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="The path of the file that was uploaded for this source.",
                max_length=400,
            ),
        ),
        migrations.RunPython(note_uploads, migrations.RunPython.noop),
    ]
