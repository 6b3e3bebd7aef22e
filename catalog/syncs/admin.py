"""Admin pages of syncs: what ran, what was held back, and which models may be one."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.forms import Form, ModelForm
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from catalog.models import Model, Offer
from catalog.prices import FIELDS, PriceRecord
from catalog.syncs import deciding, mapping
from catalog.syncs.applying import Overtaken
from catalog.syncs.models import Change, Changeset, ModelMapping, SyncRun
from catalog.syncs.tasks import sync_provider
from providers.models import Provider
from providers.panels import ReadOnly

STATE_COLOURS = {
    "applied": "success",
    "unchanged": "info",
    "running": "warning",
    "quarantined": "danger",
    "failed": "danger",
}
MOST_CHANGES = 200
MOST_MATCHES = 100


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnly, ModelAdmin):
    list_display = ("started_at", "provider", "how", "pages", "unique", "changes", "message")
    list_filter = ("state", "provider")
    list_select_related = ("provider",)
    search_fields = ("provider__slug", "message")
    date_hierarchy = "started_at"
    show_full_result_count = False
    actions = ("cancel",)

    @display(description="state", ordering="state", label=STATE_COLOURS)
    def how(self, row: SyncRun) -> str:
        return "cancelling" if row.state == "running" and row.cancel_asked else row.state

    @display(description="added, missing, changed")
    def changes(self, row: SyncRun) -> str:
        return f"+{row.added:,} −{row.removed:,} ~{row.changed:,}"

    @action(description="Cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, rows: QuerySet) -> None:
        asked = rows.filter(state="running").update(cancel_asked=True)
        messages.info(request, f"{asked} asked to stop; each does between two pages.")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("syncs.change_syncrun")


class ChangeRows(ReadOnly, TabularInline):
    model = Change
    fields = readonly_fields = ("kind", "upstream_id", "before", "after")
    extra = 0
    verbose_name_plural = f"changes, the first {MOST_CHANGES}"

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        made = super().get_formset(request, obj, **options)

        class First(made):
            def get_queryset(self) -> Any:
                return super().get_queryset()[:MOST_CHANGES]

        return First


@admin.register(Changeset)
class ChangesetAdmin(ReadOnly, ModelAdmin):
    list_display = ("created_at", "provider", "how", "size", "why", "decided_by")
    list_filter = ("state", "run__provider")
    list_select_related = ("run__provider",)
    search_fields = ("run__provider__slug", "reasons")
    inlines = (ChangeRows,)
    fields = ("run", "state", "why", "decided_by", "decided_at", "created_at")
    actions = ("apply", "reject")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(change_count=Count("changes"))

    @display(description="state", ordering="state", label=STATE_COLOURS)
    def how(self, row: Changeset) -> str:
        return row.state

    @display(description="provider", ordering="run__provider")
    def provider(self, row: Changeset) -> str:
        return row.run.provider.slug

    @display(description="changes")
    def size(self, row: Changeset) -> int:
        return row.change_count

    @display(description="held back because")
    def why(self, row: Changeset) -> str:
        return "; ".join(row.reasons) or "-"

    @action(description="Apply what was held back", permissions=["decide"])
    def apply(self, request: HttpRequest, rows: QuerySet) -> None:
        self.decide(request, rows, deciding.accept)

    @action(description="Reject what was held back", permissions=["decide"])
    def reject(self, request: HttpRequest, rows: QuerySet) -> None:
        self.decide(request, rows, deciding.reject)

    def decide(self, request: HttpRequest, rows: QuerySet, verdict: Any) -> None:
        for row in rows:
            try:
                verdict(row, request.user.get_username())
            except Overtaken as problem:
                messages.error(request, f"{row}: {problem}")
            else:
                messages.success(request, f"{row}")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("syncs.change_changeset")


class MappingForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        taken = Offer.objects.filter(provider=given.get("provider"), model=given.get("model"))
        for other in taken.exclude(upstream_id=given.get("upstream_id", "")):
            raise ValidationError(
                f"{other.provider} offers this model already, as {other.upstream_id}."
            )
        return given


@admin.register(ModelMapping)
class ModelMappingAdmin(ModelAdmin):
    form = MappingForm
    list_display = ("upstream_id", "provider", "model", "created_at")
    list_filter = ("provider",)
    list_select_related = ("provider", "model")
    search_fields = ("upstream_id", "model__model_id")
    autocomplete_fields = ("provider", "model")
    fields = (("provider", "upstream_id"), "model")
    actions_list = ("confirm_likely",)

    def save_model(self, request: HttpRequest, obj: ModelMapping, form: Form, change: Any) -> None:
        super().save_model(request, obj, form, change)
        mapping.join(obj.provider, obj.upstream_id, obj.model)

    @action(description="Models that may be one", url_path="likely")
    def confirm_likely(self, request: HttpRequest) -> HttpResponseRedirect:
        found = list(mapping.matches())
        for match in found[:MOST_MATCHES]:
            messages.info(request, f"{match.other.model_id} may be {match.model.model_id}")
        messages.info(request, f"{len(found)} likely matches; add a mapping where one is right.")
        return HttpResponseRedirect(reverse("admin:syncs_modelmapping_changelist"))


@admin.register(PriceRecord)
class PriceRecordAdmin(ReadOnly, ModelAdmin):
    """What is added here is a reference price: it counts while nobody else knows one."""

    list_display = ("offer", "source", *FIELDS, "valid_from")
    list_filter = ("source", "offer__provider")
    list_select_related = ("offer__model", "offer__provider")
    search_fields = ("offer__model__model_id", "offer__upstream_id")
    show_full_result_count = False
    add_fieldsets = ((None, {"fields": ("offer", FIELDS[:3], FIELDS[3])}),)
    autocomplete_fields = ("offer",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalog.change_offer")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def save_model(self, request: HttpRequest, obj: Any, form: Form, change: Any) -> None:
        made = PriceRecord.objects.refer(obj.offer, obj.prices)
        obj.pk, obj.source, obj.valid_from = made.pk, made.source, made.valid_from


@admin.action(description="Sync now", permissions=["change"])
def sync_now(page: ModelAdmin, request: HttpRequest, rows: QuerySet) -> None:
    for provider in rows:
        sync_provider.delay(provider.pk)
    messages.info(request, f"{len(rows)} syncs queued; the runs page shows how they go.")


@admin.action(description="Merge into the first chosen", permissions=["change"])
def merge(page: ModelAdmin, request: HttpRequest, rows: QuerySet) -> None:
    first, *others = rows.order_by("model_id")
    for other in others:
        try:
            mapping.merge(first, other)
        except mapping.Occupied as problem:
            messages.error(request, str(problem))


# Pages of those below do not know of syncs; what syncs bring is added to them here.
for _model, _action in ((Provider, sync_now), (Model, merge)):
    _page = admin.site.get_model_admin(_model)
    _page.actions = [*_page.actions, _action]
