"""Listed prices of tokens by the million, and each offer's latest price records."""

from decimal import Decimal

from django.db import migrations
from django.utils import timezone

PIECES = ("image", "request", "web_search", "second")
MILLION = 1_000_000


def by_the_million(name, usd):
    value = Decimal(usd) * (1 if name in PIECES else MILLION)
    return f"{value.normalize():f}"


def convert_listed(apps, schema_editor):
    offers, records = (apps.get_model("catalog", name) for name in ("Offer", "PriceRecord"))
    now = timezone.now()
    for row in offers.objects.exclude(listed_other_prices={}).iterator():
        old = row.listed_other_prices
        row.listed_other_prices = {name: by_the_million(name, usd) for name, usd in old.items()}
        row.save(update_fields=["listed_other_prices"])
        records.objects.create(
            offer=row,
            source="listing",
            valid_from=now,
            recorded_at=now,
            input_price=row.listed_input_price,
            output_price=row.listed_output_price,
            cached_input_price=row.listed_cached_input_price,
            other_prices=row.listed_other_prices,
        )


def note_latest(apps, schema_editor):
    records, in_force = (apps.get_model("catalog", n) for n in ("PriceRecord", "PriceInForce"))
    latest = {}
    rows = records.objects.order_by("valid_from", "recorded_at", "pk")
    for offer, source, pk in rows.values_list("offer_id", "source", "pk").iterator():
        latest.setdefault(offer, {})[f"{source}_id"] = pk
    in_force.objects.bulk_create(
        [in_force(offer_id=offer, **found) for offer, found in latest.items()], batch_size=500
    )


class Migration(migrations.Migration):
    dependencies = [("catalog", "0007_other_prices")]
    operations = [
        migrations.RunPython(convert_listed, migrations.RunPython.noop),
        migrations.RunPython(note_latest, migrations.RunPython.noop),
    ]
