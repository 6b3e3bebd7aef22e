"""Indexes for what pages ask of usage rows, instead of those that they do not use."""

import django.db.models.deletion
from django.db import migrations, models

from billing.books.indexes import AddIndexAside


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("billing", "0009_alarm_indexes")]
    operations = [
        AddIndexAside(
            model_name="usagerow",
            index=models.Index(fields=["provider", "-created_at"], name="usage_by_provider"),
        ),
        AddIndexAside(
            model_name="usagerow",
            index=models.Index(
                condition=models.Q(("outcome", "answered"), _negated=True),
                fields=["outcome", "-created_at"],
                name="usage_that_failed",
            ),
        ),
        migrations.AlterField(
            model_name="usagerow",
            name="account",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="usage",
                to="billing.account",
            ),
        ),
        migrations.AlterField(
            model_name="usagerow",
            name="provider",
            field=models.CharField(blank=True, max_length=63),
        ),
    ]
