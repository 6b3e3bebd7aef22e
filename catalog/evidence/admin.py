"""Admin pages of evidence and of what probes may cost."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from catalog.evidence.models import Evidence, ProbeBudget
from providers.panels import ReadOnly


@admin.register(Evidence)
class EvidenceAdmin(ReadOnly, ModelAdmin):
    list_display = ("at", "offer", "source", "outcome", "status", "detail", "latency_ms")
    list_select_related = ("offer__model", "offer__provider")
    list_filter = ("outcome", "source", "at")
    search_fields = ("offer__model__model_id", "offer__provider__slug")
    show_full_result_count = False


@admin.register(ProbeBudget)
class ProbeBudgetAdmin(ModelAdmin):
    list_display = ("provider", "daily", "day", "used")
    list_select_related = ("provider",)
    list_editable = ("daily",)
    search_fields = ("provider__slug",)
    autocomplete_fields = ("provider",)
    readonly_fields = ("day", "used")

    def get_readonly_fields(self, request: HttpRequest, obj: ProbeBudget | None = None) -> tuple:
        return (*self.readonly_fields, "provider") if obj else self.readonly_fields
