"""Reference prices: what an offer without a price of its own is taken to cost."""

from decimal import Decimal

from catalog.models import Offer
from catalog.prices import PriceRecord
from providers.models import Provider


def copy(offer: Offer) -> Provider | None:
    """Take the price at which another provider lists the same model; return that provider.

    Of several the dearest, so that nobody is charged too little. None: nobody lists one.
    """
    others = Offer.objects.alive().filter(model=offer.model).exclude(pk=offer.pk)
    listed = others.exclude(listed_input_price=None).exclude(listed_output_price=None)
    rows = list(listed.select_related("provider").order_by("provider__slug"))
    if not rows:
        return None
    dearest = max(rows, key=total)
    PriceRecord.objects.refer(offer, dearest.listed_prices)
    return dearest.provider


def total(offer: Offer) -> Decimal:
    return (offer.listed_input_price or Decimal(0)) + (offer.listed_output_price or Decimal(0))
