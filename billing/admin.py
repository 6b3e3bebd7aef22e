"""Admin pages of who asks and what it costs."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from billing import money
from billing.forms import RotateForm, TopUpForm
from billing.ledger.credits import credit
from billing.limits.panels import PlanRuleRows
from billing.models import Account, ApiKey, Plan, UsageRow
from providers.models import Provider
from providers.panels import Choice, ConfigurationAdmin, ReadOnly

TOP_UP = {
    "title": "Top up",
    "description": "Adds a posting, and its amount to the balance.",
    "form_class": TopUpForm,
    "form_submit_text": "Post",
}
SCOPES = (("allowed_models", "denied_models"), ("allowed_providers", "denied_providers"))
ROTATE = {
    "title": "Rotate",
    "description": "Makes a new secret for the key; the one of now stays good for a while.",
    "form_class": RotateForm,
    "form_submit_text": "Rotate",
}


@admin.register(Plan)
class PlanAdmin(ConfigurationAdmin):
    list_display = (
        "name",
        "markup",
        "unpriced",
        "requests_per_minute",
        "tokens_per_minute",
        "concurrency",
    )
    search_fields = ("name",)
    inlines = (PlanRuleRows,)
    fieldsets = (
        (None, {"fields": (("name", "markup"),)}),
        (
            "What each key may",
            {
                "fields": (
                    ("requests_per_minute", "requests_per_hour", "requests_per_day"),
                    ("tokens_per_minute", "tokens_per_hour", "tokens_per_day"),
                    "concurrency",
                    *SCOPES,
                ),
            },
        ),
        (
            "Where a price or a limit is not known",
            {
                "fields": (
                    "unpriced",
                    ("default_input_price", "default_output_price"),
                    "default_max_output_tokens",
                )
            },
        ),
    )


@admin.register(Account)
class AccountAdmin(ConfigurationAdmin):
    list_display = ("name", "organisation", "plan", "balance", "enabled", "created_at")
    list_select_related = ("plan", "organisation")
    autocomplete_fields = ("organisation",)
    list_filter = ("enabled", "plan")
    search_fields = ("name",)
    readonly_fields = ("balance", "held", "created_at")
    fields = (
        ("name", "organisation"),
        ("plan", "enabled"),
        "credit_limit",
        ("balance", "held", "created_at"),
    )
    actions_detail = ("top_up",)

    @display(description="balance", ordering="balance_nano")
    def balance(self, row: Account) -> str:
        return money.written(row.balance_nano)

    @display(description="held")
    def held(self, row: Account) -> str:
        return money.written(row.held_nano)

    @action(description="Top up", icon="add_card", permissions=["change"], dialog=TOP_UP)
    def top_up(self, request: HttpRequest, form: TopUpForm, object_id: str) -> HttpResponse:
        account, data = Account.objects.get(pk=object_id), form.cleaned_data
        try:
            credit(account, data["amount"], data["reason"], request.user.get_username())
            self.message_user(request, f"Posted {money.written(data['amount'])} for {account}.")
        except money.BadAmount as problem:
            self.message_user(request, str(problem), messages.ERROR)
        return back_to(account)


def back_to(row: Account | ApiKey) -> HttpResponse:
    """Make the dialog's page load the row's anew."""
    page = f"admin:billing_{row._meta.model_name}_change"
    return HttpResponse(headers={"HX-Redirect": reverse(page, args=[row.pk])})


def show_once(request: HttpRequest, token: str) -> None:
    shown = "This is the key, copy it now: it is never shown again. <code>{}</code>"
    messages.warning(request, format_html(shown, token))


class KeyStateFilter(Choice):
    title = "state"
    parameter_name = "state"

    @property
    def conditions(self) -> dict[str, Q]:
        expired = Q(expires_at__lte=timezone.now())
        return {
            "valid": Q(revoked_at=None) & ~expired,
            "expired": expired,
            "revoked": Q(revoked_at__isnull=False),
            "disabled": Q(disabled=True),
            "for tests": Q(is_test=True),
            "for management": Q(is_management=True),
        }


@admin.register(ApiKey)
class ApiKeyAdmin(ConfigurationAdmin):
    list_display = (
        "__str__",
        "account",
        "holder",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    list_select_related = ("account", "holder")
    list_filter = (KeyStateFilter,)
    search_fields = ("name", "public_id", "last4", "account__name")
    autocomplete_fields = ("account", "holder")
    readonly_fields = (
        "public_id",
        "last4",
        "old_valid_until",
        "revoked_at",
        "created_at",
        "last_used_at",
    )
    fields = (
        ("account", "name", "holder"),
        ("is_test", "is_management", "disabled"),
        "expires_at",
        "allowed_endpoints",
        *SCOPES,
        "allowed_ips",
        ("public_id", "last4", "old_valid_until"),
        ("created_at", "last_used_at", "revoked_at"),
    )
    actions = ("revoke",)
    actions_detail = ("rotate",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple:
        return self.fields if obj else self.fields[:-2]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple:
        """A key's kind stands in the key itself."""
        return (*self.readonly_fields, "is_test") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Form, change: Any) -> None:
        """Save what was changed and no more: a key may be revoked while its form is open."""
        if change:
            if form.changed_data:
                obj.save(update_fields=form.changed_data)
            return
        token = obj.mint()
        super().save_model(request, obj, form, change)
        show_once(request, token)

    @action(description="Rotate", icon="autorenew", permissions=["change"], dialog=ROTATE)
    def rotate(self, request: HttpRequest, form: RotateForm, object_id: str) -> HttpResponse:
        row = ApiKey.objects.get(pk=object_id)
        try:
            show_once(request, row.rotate(form.grace()))
        except ValidationError as problem:
            self.message_user(request, "; ".join(problem.messages), messages.ERROR)
        return back_to(row)

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet) -> None:
        count = queryset.revoke()
        self.message_user(request, f"Revoked {count}; they are refused within a second.")


class ProviderFilter(admin.SimpleListFilter):
    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(row.slug, row.name) for row in Provider.objects.order_by("name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(provider=self.value()) if self.value() else queryset


class OutcomeFilter(Choice):
    title = "outcome"
    parameter_name = "outcome"
    conditions = {
        word: Q(outcome=word) for word in ("answered", "failed", "cancelled", "interrupted")
    }


@admin.register(UsageRow)
class UsageRowAdmin(ReadOnly, ModelAdmin):
    """There may be millions: nothing here counts them or lists their distinct values."""

    list_display = (
        "request_id",
        "created_at",
        "account",
        "asked_model",
        "provider",
        "status",
        "prompt_tokens",
        "completion_tokens",
        "cost",
    )
    list_select_related = ("account",)
    list_filter = ("created_at", OutcomeFilter, ProviderFilter)
    list_per_page = 50
    search_fields = ("=request_id", "=key_id", "=account__name")
    search_help_text = "A whole request id, key id or account name"
    show_full_result_count = False
    paginator = InfinitePaginator

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        names = [field.name for field in UsageRow._meta.fields if field.name != "id"]
        return [*names, "cost", "provider_cost"]

    @display(description="cost", ordering="cost_nano")
    def cost(self, row: UsageRow) -> str:
        return money.written(row.cost_nano)

    @display(description="our cost")
    def provider_cost(self, row: UsageRow) -> str:
        return money.written(row.provider_cost_nano)
