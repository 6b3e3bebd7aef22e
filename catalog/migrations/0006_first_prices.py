"""The prices that are there become the first of their history."""

from django.db import migrations
from django.utils import timezone

FIELDS = ("input_price", "output_price", "cached_input_price")


def record_prices(apps, schema_editor):
    offers, records = (apps.get_model("catalog", name) for name in ("Offer", "PriceRecord"))
    rows = offers.objects.exclude(**{name: None for name in FIELDS}).select_related("model")
    now = timezone.now()
    for row in rows.iterator():
        prices = {name: getattr(row, name) for name in FIELDS}
        records.objects.create(
            offer=row, source="manual", valid_from=row.model.created_at, recorded_at=now, **prices
        )


class Migration(migrations.Migration):
    dependencies = [("catalog", "0005_price_run")]
    operations = [migrations.RunPython(record_prices, migrations.RunPython.noop)]
