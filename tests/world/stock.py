"""Fills a gateway's catalogue as a sync would, with thousands of models."""

from tests.world.gateway import Gateway

CODE = """
from django.db import transaction
from catalog.models import Model, Offer
from providers.models import Provider

providers = list(Provider.objects.filter(slug__startswith="stock-").order_by("slug"))
ids = [f"org-{{n % 700}}/Stock-{{n}}-70B-Instruct" for n in range({count})]
with transaction.atomic():
    Model.objects.bulk_create(
        Model(model_id=i, name=i.partition("/")[2], description="A model of the stock. " * 5,
              context_length=131072)
        for i in ids
    )
    rows = {{row.model_id: row for row in Model.objects.filter(model_id__contains="/Stock-")}}
    Offer.objects.bulk_create(
        Offer(model=rows[i], provider=providers[n % len(providers)], upstream_id=i,
              input_price="0.5", output_price="1.5")
        for n, i in enumerate(ids)
    )
"""


def fill(gateway: Gateway, count: int = 13_850, providers: int = 14) -> None:
    """Add `count` models, each at one of some providers; return once they are served."""
    row = {
        "name": "Stock",
        "adapter": "openai",
        "base_url": "https://stock.example/v1",
        "enabled": True,
        "credentials": [{"value": "sk-stock"}],
    }
    slugs = [f"stock-{number}" for number in range(providers)]
    gateway.apply({"version": 1, "providers": dict.fromkeys(slugs, row)})
    gateway.run("shell", "-c", CODE.format(count=count))
    gateway.settle()
