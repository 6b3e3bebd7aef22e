"""What an account may owe, and what of its balance is held."""

from decimal import Decimal

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_default_plan")]
    operations = [
        migrations.AddField(
            model_name="account",
            name="credit_limit",
            field=models.DecimalField(
                decimal_places=2,
                default=Decimal("0"),
                help_text="How far below zero it may go, in USD: for who pays by invoice.",
                max_digits=12,
                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
            ),
        ),
        migrations.AddField(
            model_name="account",
            name="held_nano",
            field=models.BigIntegerField(
                default=0,
                editable=False,
                help_text="What processes took of it to admit requests against.",
            ),
        ),
        migrations.AlterField(
            model_name="account",
            name="balance_nano",
            field=models.BigIntegerField(
                default=0,
                editable=False,
                help_text="What it owns, in nano-USD: 10⁹ are one dollar.",
            ),
        ),
    ]
