from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('activations', '0006_bundles_of_changes'),
    ]

    operations = [
        migrations.AddField(
            model_name='bundle',
            name='keys',
            field=models.BinaryField(default=b''),
            preserve_default=False,
        ),
    ]
