"""Admin pages of providers, their names, credentials and rewrite rules."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from providers.forms import AliasForm, AliasFormSet, CredentialForm, ProviderForm
from providers.models import Credential, Provider, ProviderAlias, RewriteRule
from providers.panels import Blocks, ConfigurationAdmin, Rows


class WriteOnly:
    """A credential's page: whoever may not change it does not see its ciphertext either."""

    form = CredentialForm
    readonly_fields = ("state",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = list(super().get_fields(request, obj))
        may_write = obj is None or self.has_change_permission(request, obj)
        return fields if may_write else [name for name in fields if name != "value"]

    @display(description="state")
    def state(self, row: Credential) -> str:
        if row.env:
            return "set" if row.available() else "not set in this process"
        return f"stored, ends in {row.last4}" if row.last4 else "stored" if row.value else "-"


class AliasRows(Rows):
    model = ProviderAlias
    form = AliasForm
    formset = AliasFormSet
    fields = ("alias",)


class CredentialBlocks(WriteOnly, Blocks):
    model = Credential
    fields = (("label", "env", "value"), ("priority", "enabled", "state"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is None or self.has_change_permission(request, obj):
            return list(self.fields)
        return ["label", "env", "priority", "enabled", "state"]


class RewriteBlocks(Blocks):
    model = RewriteRule
    verbose_name_plural = "rewrite rules"
    fields = (
        ("position", "action", "value", "replacement"),
        ("when_backend", "keep", "unless_suffixed", "enabled"),
    )


@admin.register(Provider)
class ProviderAdmin(ConfigurationAdmin):
    form = ProviderForm
    list_display = ("slug", "name", "enabled", "priority", "callable_now", "offers")
    list_filter = ("enabled", "adapter", "private_network", "key_optional")
    search_fields = ("slug", "name", "aliases__alias")
    search_help_text = "Slug, name or alias"
    inlines = (AliasRows, CredentialBlocks, RewriteBlocks)
    fieldsets = (
        ("What it is", {"fields": ("slug", "name", "site_url", ("enabled", "priority"))}),
        (
            "How we call it",
            {
                "fields": (
                    "adapter",
                    ("base_url", "private_network"),
                    "headers",
                    ("drop_params", "passes_suffixes"),
                    ("stream_usage", "allow_unlisted", "resend_maybe_billed"),
                )
            },
        ),
        (
            "Credentials",
            {
                "fields": (("auth_header", "key_optional"),),
                "description": "The keys themselves are on the tab of that name.",
            },
        ),
        (
            "Limits and deadlines",
            {
                "fields": (
                    "concurrency",
                    ("connect_timeout_s", "first_byte_timeout_s"),
                    ("idle_timeout_s", "total_timeout_s"),
                )
            },
        ),
        ("Listings", {"fields": ("listing", "guards")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).prefetch_related("credentials")
        return rows.annotate(offer_count=Count("offers", distinct=True))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("slug",) if obj else ()

    @display(description="credential usable", boolean=True)
    def callable_now(self, row: Provider) -> bool:
        return row.callable_now()

    @display(description="offers", ordering="offer_count")
    def offers(self, row: Provider) -> int:
        return row.offer_count


@admin.register(ProviderAlias)
class ProviderAliasAdmin(ConfigurationAdmin):
    form = AliasForm
    list_display = ("alias", "provider")
    list_select_related = ("provider",)
    list_filter = ("provider",)
    search_fields = ("alias", "provider__slug", "provider__name")
    autocomplete_fields = ("provider",)


@admin.register(Credential)
class CredentialAdmin(WriteOnly, ConfigurationAdmin):
    list_display = ("__str__", "provider", "env", "state", "enabled", "priority")
    list_select_related = ("provider",)
    list_filter = ("enabled", "provider")
    search_fields = ("label", "env", "provider__slug", "provider__name")
    autocomplete_fields = ("provider",)
    fields = (
        "provider",
        ("label", "priority", "enabled"),
        "env",
        "value",
        "state",
        ("requests_per_minute", "tokens_per_minute", "concurrency"),
    )


@admin.register(RewriteRule)
class RewriteRuleAdmin(ConfigurationAdmin):
    list_display = ("__str__", "provider", "position", "when_backend", "unless_suffixed", "enabled")
    list_select_related = ("provider",)
    list_filter = ("enabled", "action", "provider")
    search_fields = ("value", "replacement", "provider__slug")
    autocomplete_fields = ("provider",)
    fields = (
        "provider",
        ("position", "enabled"),
        ("action", "value", "replacement"),
        ("when_backend", "unless_suffixed"),
        "keep",
    )
