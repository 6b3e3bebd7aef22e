"""What lists say of models and offers, in columns of their own, so that no sync undoes an admin.

Where an admin's column holds something, it counts; otherwise what is listed does.
"""

from django.db import models

from providers.models import Provider

MANUAL, LISTING = "manual", "listing"
SOURCES = [(MANUAL, "by hand"), (LISTING, "a provider's list")]


def price_digits() -> dict[str, int]:
    """USD per million tokens: nine places are a thousandth of a pico-USD per token."""
    return {"max_digits": 20, "decimal_places": 9}


def listed_price() -> models.DecimalField:
    return models.DecimalField(**price_digits(), null=True, editable=False)


def source_field() -> models.CharField:
    return models.CharField(max_length=10, choices=SOURCES, default=MANUAL, editable=False)


def listed_strings() -> models.JSONField:
    return models.JSONField(default=list, editable=False)


class ListedModel(models.Model):
    """The columns of a model that syncs write. listed_by: whose words these are."""

    source = source_field()
    listed_by = models.ForeignKey(
        Provider, models.SET_NULL, null=True, related_name="+", editable=False
    )
    listed_name = models.CharField(max_length=250, blank=True, editable=False)
    listed_description = models.TextField(blank=True, editable=False)
    listed_context_length = models.PositiveIntegerField(null=True, editable=False)
    listed_capabilities = listed_strings()
    input_modalities = listed_strings()
    output_modalities = listed_strings()

    class Meta:
        abstract = True


class ListedOffer(models.Model):
    """The columns of an offer that syncs write.

    listed_capabilities: also a provider's own word for what we have no endpoint for; empty: never
    listed. listed_other_prices: see other_prices; there is also `second`, of audio.
    last_listed_at: empty while it is listed.
    """

    source = source_field()
    listed_input_price = listed_price()
    listed_output_price = listed_price()
    listed_cached_input_price = listed_price()
    listed_other_prices = models.JSONField(default=dict, editable=False)
    listed_context_length = models.PositiveIntegerField(null=True, editable=False)
    max_output_tokens = models.PositiveIntegerField(null=True, editable=False)
    listed_capabilities = listed_strings()
    listed_backends = listed_strings()
    supported_parameters = listed_strings()
    listed_active = models.BooleanField(
        default=True, editable=False, help_text="Off: listed as not callable now."
    )
    deprecated = models.BooleanField(default=False, editable=False)
    deprecated_at = models.DateField(null=True, editable=False)
    replaced_by = models.CharField(max_length=250, blank=True, editable=False)

    missing_runs = models.PositiveSmallIntegerField(default=0, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False, db_index=True)
    first_listed_at = models.DateTimeField(null=True, editable=False)
    last_listed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True
