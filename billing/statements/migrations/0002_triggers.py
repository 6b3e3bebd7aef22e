"""The database refuses what does not sum, and changes."""

from django.db import migrations

from billing.statements.triggers import install, remove


class Migration(migrations.Migration):
    dependencies = [("statements", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
