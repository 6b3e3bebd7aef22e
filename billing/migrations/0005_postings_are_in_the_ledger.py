"""The ledger holds what these rows held."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_usage_transaction"), ("ledger", "0003_earlier_books")]
    operations = [migrations.DeleteModel(name="Posting")]
