from django.db import migrations

ROLES = ("Viewer", "Operator", "Editor", "Admin")


def make(apps, schema_editor):
    """Creates a group for each role. Existing groups with these names are renamed and keep their permissions."""
    groups = apps.get_model("auth", "Group").objects
    for name in ROLES:
        for own in groups.filter(name=name):
            own.name = next(
                free
                for number in range(1, groups.count() + 2)
                if not groups.filter(name=(free := f"{name} (own{'' if number == 1 else f' {number}'})")).exists()
            )
            own.save()
        groups.create(name=name)


class Migration(migrations.Migration):

    dependencies = [("auth", "0012_alter_user_first_name_max_length")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
