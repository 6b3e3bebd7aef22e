"""Usage rows name the transaction that charged them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_held_and_credit_limit"), ("ledger", "0001_initial")]
    operations = [
        migrations.AddField(
            model_name="usagerow",
            name="transaction",
            field=models.ForeignKey(
                help_text="What charged it, together with others that were booked at once.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="usage",
                to="ledger.transaction",
            ),
        ),
    ]
