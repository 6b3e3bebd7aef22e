"""The ledger's pages: to read, since nothing in it is ever changed."""

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Abs
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from billing import money
from billing.ledger.models import LedgerAccount, Posting, Transaction
from providers.panels import ReadOnly


class Amounts:
    @display(description="amount", ordering="amount_nano")
    def amount(self, row: Posting) -> str:
        return money.written(row.amount_nano)


class PostingInline(Amounts, ReadOnly, TabularInline):
    model = Posting
    fields = ("ledger_account", "amount")
    readonly_fields = fields


@admin.register(Transaction)
class TransactionAdmin(ReadOnly, ModelAdmin):
    """There may be millions: nothing here counts them."""

    list_display = ("created_at", "kind", "moved", "reason", "author", "reference")
    list_filter = ("created_at",)
    search_fields = ("=reference", "=kind")
    search_help_text = "A whole reference, or a kind"
    show_full_result_count = False
    paginator = InfinitePaginator
    inlines = (PostingInline,)
    fields = ("kind", "reference", "reason", "author", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Sum for the rows that are shown alone: a join would sum the whole ledger first."""
        rows = Posting.objects.filter(transaction=OuterRef("pk")).order_by()
        moved = rows.values("transaction").annotate(n=Sum(Abs("amount_nano")) / 2).values("n")
        return super().get_queryset(request).annotate(moved_nano=Subquery(moved))

    @display(description="moved")
    def moved(self, row: Transaction) -> str:
        return money.written(row.moved_nano)  # type: ignore[attr-defined]


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnly, ModelAdmin):
    list_display = ("kind", "account", "provider", "balance")
    list_select_related = ("account",)
    list_filter = ("kind",)
    search_fields = ("account__name", "provider")
    fields = ("kind", "account", "provider", "balance")

    @display(description="balance")
    def balance(self, row: LedgerAccount) -> str:
        return money.written(row.postings.aggregate(total=Sum("amount_nano"))["total"] or 0)
