"""Admin pages of what can be asked for, and of the revisions of it all."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.forms import Form
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display

from catalog import references
from catalog.evidence.panels import (
    EvidenceRows,
    HealthColumns,
    HealthFilter,
    HitColumns,
    SuccessFilter,
)
from catalog.models import BlockRule, Model, ModelAlias, Offer, Revision, Variant
from catalog.prices import REFERENCE
from providers.panels import Blocks, Choice, ConfigurationAdmin, ReadOnly

MEASURED = ("latency_ms", "throughput_tps")
LISTED = (
    ("source", "listed_active"),
    ("deprecated", "deprecated_at", "replaced_by"),
    ("listed_input_price", "listed_output_price", "listed_cached_input_price"),
    ("listed_context_length", "max_output_tokens"),
    ("listed_capabilities", "listed_backends", "supported_parameters", "listed_other_prices"),
    ("first_listed_at", "last_listed_at", "missing_runs", "retired_at"),
)
LISTED_OF_MODEL = (
    ("source", "listed_by", "listed_name", "listed_context_length"),
    "listed_description",
    ("listed_capabilities", "input_modalities", "output_modalities"),
)
BY_HAND = Q(input_price__isnull=False) | Q(output_price__isnull=False)
KNOWN = Q(input_price__isnull=False, output_price__isnull=False) | (
    ~BY_HAND & Q(listed_input_price__isnull=False, listed_output_price__isnull=False)
)
FREE = Q(input_price=0, output_price=0) | (
    ~BY_HAND & Q(listed_input_price=0, listed_output_price=0)
)


def flat(rows: tuple[str | tuple[str, ...], ...]) -> tuple[str, ...]:
    return tuple(n for row in rows for n in ((row,) if isinstance(row, str) else row))


class PriceFilter(Choice):
    title = "price"
    parameter_name = "price"
    conditions = {"known": KNOWN, "unknown": ~KNOWN, "free": FREE}


class ListedFilter(Choice):
    title = "listing"
    parameter_name = "listing"
    conditions = {
        "listed": Q(source="listing", retired_at=None, missing_runs=0),
        "deprecated": Q(deprecated=True) | Q(deprecated_at__isnull=False),
        "missing": Q(missing_runs__gt=0, retired_at=None),
        "retired": Q(retired_at__isnull=False),
        "by hand": Q(source="manual"),
    }


class InForceFilter(Choice):
    title = "in force"
    parameter_name = "in_force"

    @property
    def conditions(self) -> dict[str, Q]:
        expired = Q(expires_at__lte=timezone.now())
        return {
            "active": Q(enabled=True) & ~expired,
            "half-open": Q(enabled=True) & expired,
            "expired": expired,
            "off": Q(enabled=False),
        }


class OfferBlocks(Blocks):
    model = Offer
    autocomplete_fields = ("provider",)
    readonly_fields = MEASURED
    fields = (
        ("provider", "upstream_id", "enabled"),
        ("input_price", "output_price", "cached_input_price"),
        "other_prices",
        ("backends", "capabilities", "context_length"),
        MEASURED,
    )


@admin.register(Model)
class ModelPage(ConfigurationAdmin):
    list_display = ("model_id", "title", "can", "context", "offers", "hidden")
    list_filter = ("hidden", "source")
    search_fields = ("model_id", "name", "listed_name")
    inlines = (OfferBlocks,)
    readonly_fields = flat(LISTED_OF_MODEL)
    fieldsets = (
        (
            "By hand",
            {
                "fields": (
                    ("model_id", "name"),
                    "description",
                    ("capabilities", "context_length"),
                    ("hugging_face_id", "hidden", "created_at"),
                )
            },
        ),
        ("As listed", {"fields": LISTED_OF_MODEL}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        theirs = Offer.objects.filter(model=OuterRef("pk")).order_by().values("model")
        counted = Subquery(theirs.annotate(count=Count("pk")).values("count"))
        return super().get_queryset(request).annotate(offer_count=counted)

    @display(description="offers", ordering="offer_count")
    def offers(self, row: Model) -> int:
        return row.offer_count or 0

    @display(description="can")
    def can(self, row: Model) -> str:
        return ", ".join(row.capabilities or row.listed_capabilities)

    @display(description="context", ordering="context_length")
    def context(self, row: Model) -> int | None:
        return row.context_length or row.listed_context_length


@admin.register(Offer)
class OfferAdmin(HealthColumns, ConfigurationAdmin):
    list_display = (
        "model",
        "provider",
        "upstream_id",
        "price",
        "enabled",
        "source",
        "health",
        "success",
        "deprecated_at",
    )
    list_select_related = ("model", "provider", "health", "in_force__reference")
    list_filter = ("enabled", HealthFilter, SuccessFilter, PriceFilter, ListedFilter, "provider")
    search_fields = ("model__model_id", "upstream_id", "provider__slug")
    autocomplete_fields = ("model", "provider")
    readonly_fields = (*MEASURED, *flat(LISTED), "health", "experience")
    inlines = (EvidenceRows,)
    actions = (*HealthColumns.actions, "refer")
    fieldsets = (
        (
            "By hand",
            {
                "fields": (
                    ("model", "provider"),
                    ("upstream_id", "enabled"),
                    *OfferBlocks.fields[1:-1],
                )
            },
        ),
        ("As listed", {"fields": LISTED}),
        ("Measured", {"fields": ((*MEASURED, "health"), "experience")}),
    )

    @admin.action(
        description="Copy a reference price from another provider", permissions=["change"]
    )
    def refer(self, request: HttpRequest, rows: QuerySet) -> None:
        for row in rows:
            found = references.copy(row)
            if found is None:
                messages.warning(request, f"{row}: no other provider lists a price of its model.")
            else:
                messages.success(request, f"{row}: as {found} lists it, while nothing better is.")

    @display(description="USD per 1M, in / out")
    def price(self, row: Offer) -> str:
        prices, source = row.effective_prices
        sides = ("?" if side is None else f"{side.normalize():f}" for side in prices[:2])
        return " / ".join(sides) + (f" ({source})" if source == REFERENCE else "")


@admin.register(ModelAlias)
class ModelAliasAdmin(ConfigurationAdmin):
    list_display = ("alias", "target")
    search_fields = ("alias", "target")


@admin.register(Variant)
class VariantAdmin(ConfigurationAdmin):
    list_display = ("name", "order_by")
    list_filter = ("order_by",)
    search_fields = ("name",)


@admin.register(BlockRule)
class BlockRuleAdmin(HitColumns, ConfigurationAdmin):
    list_display = ("pattern", "where", "reason", "author", "expires_at", "enabled", "hits")
    list_select_related = ("provider", "counted")
    list_filter = (InForceFilter, "provider")
    search_fields = ("pattern", "reason", "evidence", "author")
    autocomplete_fields = ("provider",)
    readonly_fields = ("author", "created_at", "hits", "last_hit")
    fields = (
        ("pattern", "provider"),
        "reason",
        "evidence",
        ("expires_at", "enabled"),
        ("author", "created_at"),
        ("hits", "last_hit"),
    )

    def save_model(self, request: HttpRequest, obj: BlockRule, form: Form, change: Any) -> None:
        obj.author = obj.author or request.user.get_username()
        super().save_model(request, obj, form, change)

    @display(description="at", ordering="provider")
    def where(self, row: BlockRule) -> str:
        return row.provider.slug if row.provider else "all providers"


@admin.register(Revision)
class RevisionAdmin(ReadOnly, ModelAdmin):
    list_display = ("number", "created_at", "author", "summary")
    list_filter = ("created_at",)
    search_fields = ("=number", "author", "summary", "parts")
    search_help_text = "Number, author, summary or part, such as provider:groq"
    show_full_result_count = False
