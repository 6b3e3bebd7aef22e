"""The usage page: a dashboard, and the hours that it is made of."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from billing import money
from billing.rollups.dashboard import dashboard
from billing.rollups.models import HourlyUsage
from providers.panels import ReadOnly


@admin.register(HourlyUsage)
class HourlyUsageAdmin(ReadOnly, ModelAdmin):
    """There may be millions: nothing here counts them or lists their distinct values."""

    list_before_template = "rollups/dashboard.html"
    list_display = (
        "hour",
        "account",
        "model_id",
        "provider",
        "endpoint",
        "requests",
        "failures",
        "prompt_tokens",
        "completion_tokens",
        "cost",
    )
    list_display_links = None
    list_select_related = ("account",)
    list_filter = ("hour",)
    list_per_page = 50
    sortable_by = ("hour",)
    show_full_result_count = False
    paginator = InfinitePaginator

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shown = {"usage": dashboard(timezone.now()), **(extra_context or {})}
        return super().changelist_view(request, shown)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in HourlyUsage._meta.fields if field.name != "id"] + ["cost"]

    @display(description="charged")
    def cost(self, row: HourlyUsage) -> str:
        return money.written(row.cost_nano)
