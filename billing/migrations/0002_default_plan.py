"""The plan of accounts that name none."""

from django.db import migrations


def add_plan(apps, schema_editor):
    apps.get_model("billing", "Plan").objects.get_or_create(name="default")


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]
    operations = [migrations.RunPython(add_plan, migrations.RunPython.noop)]
