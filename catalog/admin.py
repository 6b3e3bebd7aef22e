"""Admin pages of what can be asked for, and of the revisions of it all."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.forms import Form
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display

from catalog.models import BlockRule, Model, ModelAlias, Offer, Revision, Variant
from providers.panels import Blocks, Choice, ConfigurationAdmin, ReadOnly

MEASURED = ("latency_ms", "throughput_tps")


class PriceFilter(Choice):
    title = "price"
    parameter_name = "price"
    conditions = {
        "known": Q(input_price__isnull=False, output_price__isnull=False),
        "unknown": Q(input_price=None) | Q(output_price=None),
        "free": Q(input_price=0, output_price=0),
    }


class InForceFilter(Choice):
    title = "in force"
    parameter_name = "in_force"

    @property
    def conditions(self) -> dict[str, Q]:
        expired = Q(expires_at__lte=timezone.now())
        return {"active": Q(enabled=True) & ~expired, "expired": expired, "off": Q(enabled=False)}


class OfferBlocks(Blocks):
    model = Offer
    autocomplete_fields = ("provider",)
    readonly_fields = MEASURED
    fields = (
        ("provider", "upstream_id", "enabled"),
        ("input_price", "output_price", "cached_input_price"),
        ("backends", "capabilities", "context_length"),
        MEASURED,
    )


@admin.register(Model)
class ModelPage(ConfigurationAdmin):
    list_display = ("model_id", "name", "can", "context_length", "offers", "hidden")
    list_filter = ("hidden",)
    search_fields = ("model_id", "name")
    inlines = (OfferBlocks,)
    fields = (
        ("model_id", "name"),
        "description",
        ("capabilities", "context_length"),
        ("hidden", "created_at"),
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
        return ", ".join(row.capabilities)


@admin.register(Offer)
class OfferAdmin(ConfigurationAdmin):
    list_display = ("model", "provider", "upstream_id", "input_price", "output_price", "enabled")
    list_select_related = ("model", "provider")
    list_filter = ("enabled", PriceFilter, "provider")
    search_fields = ("model__model_id", "upstream_id", "provider__slug")
    autocomplete_fields = ("model", "provider")
    readonly_fields = MEASURED
    fields = (("model", "provider"), *OfferBlocks.fields[1:-1], "upstream_id", "enabled", MEASURED)


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
class BlockRuleAdmin(ConfigurationAdmin):
    list_display = ("pattern", "where", "reason", "author", "expires_at", "enabled")
    list_select_related = ("provider",)
    list_filter = (InForceFilter, "provider")
    search_fields = ("pattern", "reason", "evidence", "author")
    autocomplete_fields = ("provider",)
    readonly_fields = ("author", "created_at")
    fields = (
        ("pattern", "provider"),
        "reason",
        "evidence",
        ("expires_at", "enabled"),
        ("author", "created_at"),
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
