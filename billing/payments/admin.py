"""Admin pages of money that comes in."""

import base64
from typing import Any

from django.contrib import admin, messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from billing import money
from billing.payments.codes import draw
from billing.payments.forms import BatchForm
from billing.payments.models import Dispute, PaymentSession, PromotionCode, Redemption, StripeEvent
from providers.panels import Choice, ReadOnly


class CodeStateFilter(Choice):
    title = "state"
    parameter_name = "state"

    @property
    def conditions(self) -> dict[str, Q]:
        expired = Q(expires_at__lte=timezone.now())
        return {
            "usable": Q(withdrawn_at=None, uses__lt=F("most_uses")) & ~expired,
            "used up": Q(uses=F("most_uses")),
            "expired": expired,
            "withdrawn": Q(withdrawn_at__isnull=False),
        }


class RedemptionInline(ReadOnly, TabularInline):
    model = Redemption
    fields = readonly_fields = ("account", "created_at")
    per_page = 50


@admin.register(PromotionCode)
class PromotionCodeAdmin(ReadOnly, ModelAdmin):
    list_display = (
        "__str__",
        "amount",
        "uses",
        "most_uses",
        "expires_at",
        "withdrawn_at",
        "author",
    )
    list_filter = (CodeStateFilter, "created_at")
    search_fields = ("batch", "last4")
    actions = ("withdraw",)
    actions_list = ("draw",)
    inlines = (RedemptionInline,)
    fields = (
        ("batch", "last4"),
        ("amount", "uses", "most_uses"),
        ("expires_at", "withdrawn_at"),
        ("created_at", "author"),
    )

    @display(description="amount", ordering="amount_nano")
    def amount(self, row: PromotionCode) -> str:
        return money.written(row.amount_nano)

    def has_draw_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.add_promotioncode")

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.change_promotioncode")

    @action(description="Make codes", icon="add", permissions=["draw"])
    def draw(self, request: HttpRequest) -> HttpResponse:
        """Show a form, and then the codes: this once, since they are kept nowhere."""
        form = BatchForm(request.POST or None)
        shown: dict[str, Any] = {"title": "Make codes", "form": form, "codes": []}
        if form.is_valid():
            shown["codes"] = draw(form.batch(), request.user.get_username())
            shown["csv"] = csv_link(shown["codes"], form.cleaned_data["amount"])
        context = {**self.admin_site.each_context(request), **shown, "opts": self.opts}
        answer = TemplateResponse(request, "payments/draw.html", context)
        answer["Cache-Control"] = "no-store"
        return answer

    @admin.action(description="Withdraw", permissions=["withdraw"])
    def withdraw(self, request: HttpRequest, rows: QuerySet) -> None:
        messages.info(request, f"Withdrew {rows.withdraw()}; what was redeemed stays.")


def csv_link(codes: list[str], amount_nano: int) -> str:
    """Return the codes as an address that holds a whole file: nothing is asked of us again."""
    lines = ["code,amount_usd", *(f"{code},{money.plain(amount_nano)}" for code in codes)]
    text = "\r\n".join([*lines, ""]).encode()
    return f"data:text/csv;base64,{base64.b64encode(text).decode()}"


class DisputeInline(ReadOnly, TabularInline):
    model = Dispute
    fields = readonly_fields = ("stripe_id", "__str__", "reason", "updated_at")


@admin.register(PaymentSession)
class PaymentSessionAdmin(ReadOnly, ModelAdmin):
    list_display = ("created_at", "account", "state", "asked", "paid", "refunded", "payment_intent")
    list_select_related = ("account",)
    list_filter = ("state", "created_at")
    search_fields = ("=stripe_id", "=payment_intent", "account__name")
    inlines = (DisputeInline,)
    fields = (
        ("account", "state"),
        ("asked", "paid", "refunded"),
        ("stripe_id", "payment_intent"),
        ("created_at", "paid_at", "author"),
    )

    @display(description="asked", ordering="asked_cents")
    def asked(self, row: PaymentSession) -> str:
        return of_cents(row.asked_cents)

    @display(description="paid", ordering="paid_cents")
    def paid(self, row: PaymentSession) -> str:
        return of_cents(row.paid_cents)

    @display(description="refunded", ordering="refunded_cents")
    def refunded(self, row: PaymentSession) -> str:
        return of_cents(row.refunded_cents)


def of_cents(cents: int) -> str:
    return money.written(cents * money.NANO_PER_CENT)


@admin.register(Dispute)
class DisputeAdmin(ReadOnly, ModelAdmin):
    list_display = ("stripe_id", "account", "__str__", "reason", "updated_at")
    list_select_related = ("session__account",)
    list_filter = ("state",)
    search_fields = ("=stripe_id", "session__account__name")

    @display(description="account")
    def account(self, row: Dispute) -> str:
        return str(row.session.account)


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnly, ModelAdmin):
    list_display = ("received_at", "kind", "outcome", "said", "tries", "event_id")
    list_filter = ("outcome", "received_at")
    search_fields = ("=event_id", "kind")
    show_full_result_count = False
    paginator = InfinitePaginator
