"""Statements, to read, print and take away."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from billing import money
from billing.statements.models import Statement, StatementLine
from billing.statements.writing import as_csv, as_page
from providers.panels import ReadOnly


class LineInline(ReadOnly, TabularInline):
    model = StatementLine
    fields = readonly_fields = ("kind", "at", "text", "model_id", "provider", "requests", "amount")
    per_page = 100

    @display(description="amount")
    def amount(self, row: StatementLine) -> str:
        return money.written(row.amount_nano)


@admin.register(Statement)
class StatementAdmin(ReadOnly, ModelAdmin):
    list_display = ("__str__", "month", "account_name", "opening", "closing", "issued_at")
    list_filter = ("month",)
    search_fields = ("=number", "account_name")
    inlines = (LineInline,)
    actions_detail = ("page", "table")
    fields = (
        ("number", "month", "account_name"),
        ("opening", "closing"),
        ("issued_at", "author"),
    )

    @display(description="opening", ordering="opening_nano")
    def opening(self, row: Statement) -> str:
        return money.written(row.opening_nano)

    @display(description="closing", ordering="closing_nano")
    def closing(self, row: Statement) -> str:
        return money.written(row.closing_nano)

    @action(
        description="Page to print", icon="print", permissions=["view"], attrs={"target": "_blank"}
    )
    def page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponse(as_page(self.seen(request, object_id)))

    @action(description="CSV", icon="table", permissions=["view"])
    def table(self, request: HttpRequest, object_id: str) -> HttpResponse:
        statement = self.seen(request, object_id)
        name = f"statement-{statement.shown_number}.csv"
        return HttpResponse(
            as_csv(statement),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def seen(self, request: HttpRequest, object_id: str) -> Statement:
        statement = get_object_or_404(Statement, pk=object_id)
        if not self.has_view_permission(request, statement):
            raise PermissionDenied
        return statement
