"""The row that counts revisions, from zero."""

from django.db import migrations


def add_state(apps, schema_editor):
    apps.get_model("catalog", "State").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]
    operations = [migrations.RunPython(add_state, migrations.RunPython.noop)]
