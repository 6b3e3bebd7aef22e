"""Admin pages of alerts: what fires now, when something does, and where it is told."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from catalog.alerts import telling
from catalog.alerts.models import (
    EMAIL,
    FAILED,
    FIRING,
    RESOLVED,
    WAITING,
    Alert,
    AlertRule,
    Channel,
    Delivery,
)
from catalog.alerts.raising import queue
from catalog.alerts.sending import NO_EMAIL
from providers.forms import SecretField
from providers.panels import FORM_FIELDS, Choice, Given, ReadOnly

COLOURS = {"firing": "danger", "acknowledged": "warning", "resolved": "success"}
DELIVERY_COLOURS = {"sent": "success", "failed": "danger", "waiting": "warning"}
NO_WORKER = "The background worker cannot be reached; it is sent when it is back."


class StateFilter(Choice):
    """What fires now is shown unless something else is chosen."""

    title = "state"
    parameter_name = "shown"
    words = ("firing", "resolved", "all")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, word) for word in self.words[1:]]

    def choices(self, changelist: Any) -> Any:
        first, *rest = super().choices(changelist)
        yield {**first, "display": self.words[0]}
        yield from rest

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = self.value()
        if chosen == "all":
            return queryset
        return queryset.filter(state=RESOLVED if chosen == "resolved" else FIRING)


@admin.register(Alert)
class AlertAdmin(ReadOnly, ModelAdmin):
    list_display = ("title", "subject", "how", "text", "first_seen_at", "last_seen_at", "count")
    list_filter = (StateFilter, "kind")
    search_fields = ("subject", "text", "kind")
    date_hierarchy = "first_seen_at"
    show_full_result_count = False
    actions = ("acknowledge",)
    fields = (
        ("kind", "subject", "how"),
        "text",
        "details",
        ("first_seen_at", "last_seen_at", "count"),
        ("resolved_at", "ending"),
        ("acknowledged_at", "acknowledged_by"),
        ("told_at", "told"),
    )
    readonly_fields = ("how", "told")

    @display(description="what")
    def title(self, row: Alert) -> str:
        return row.title

    @display(description="state", ordering="state", label=COLOURS)
    def how(self, row: Alert) -> str:
        return "acknowledged" if row.state == FIRING and row.acknowledged_at else row.state

    @display(description="told")
    def told(self, row: Alert) -> str:
        rows = row.deliveries.select_related("channel")[:20]
        return "; ".join(f"{it.channel}: {it.state}" for it in rows) or "nowhere"

    @action(description="Acknowledge", permissions=["acknowledge"])
    def acknowledge(self, request: HttpRequest, rows: QuerySet) -> None:
        mine = rows.filter(state=FIRING, acknowledged_at=None)
        count = mine.update(
            acknowledged_at=timezone.now(), acknowledged_by=request.user.get_username()[:150]
        )
        messages.success(request, f"{count} acknowledged.")

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("alerts.change_alert")


@admin.register(AlertRule)
class AlertRuleAdmin(Given, ModelAdmin):
    list_display = (
        "__str__",
        "enabled",
        "threshold",
        "window_minutes",
        "least",
        "cooldown_minutes",
        "means",
    )
    list_editable = ("enabled", "threshold", "window_minutes", "least", "cooldown_minutes")
    readonly_fields = ("kind", "means")
    fields = (
        ("kind", "enabled"),
        "means",
        ("threshold", "least"),
        ("window_minutes", "cooldown_minutes"),
    )
    search_fields = ("kind",)

    @display(description="what it means")
    def means(self, row: AlertRule) -> str:
        return row.begin.means


class ChannelForm(forms.ModelForm):
    url = SecretField(
        label="Address",
        help_text="Of a webhook: <code>https://hooks.slack.com/services/…</code>. Stored "
        "encrypted and never shown again; empty keeps the one that is stored.",
    )

    class Meta:
        model = Channel
        fields = ("name", "shape", "enabled", "rules", "addresses", "url", "private_network")

    def clean_url(self) -> str:
        return self.cleaned_data["url"] or self.instance.url


@admin.register(Channel)
class ChannelAdmin(ModelAdmin):
    form = ChannelForm
    formfield_overrides = FORM_FIELDS
    list_display = ("name", "shape", "where", "enabled", "last")
    list_filter = ("shape", "enabled")
    search_fields = ("name",)
    filter_horizontal = ("rules",)
    readonly_fields = ("where",)
    actions = ("send_test",)

    def get_fields(self, request: HttpRequest, obj: Channel | None = None) -> list[Any]:
        fields = [("name", "shape", "enabled"), "rules", "addresses"]
        may_write = obj is None or self.has_change_permission(request, obj)
        return [*fields, *([("url", "where")] if may_write else ["where"]), "private_network"]

    @display(description="leads to")
    def where(self, row: Channel) -> str:
        return ", ".join(row.addresses) if row.shape == EMAIL else row.shown or "-"

    @display(description="last message")
    def last(self, row: Channel) -> str:
        newest = row.deliveries.first()
        return f"{newest.created_at:%Y-%m-%d %H:%M} UTC, {newest.state}" if newest else "-"

    @action(description="Send a test message", permissions=["change"])
    def send_test(self, request: HttpRequest, rows: QuerySet) -> None:
        for channel in rows:
            if not queue("alerts.deliver", telling.trial(channel).pk):
                messages.warning(request, NO_WORKER)
        messages.info(request, "Being sent; what comes of it is on the page of deliveries.")

    def changelist_view(self, request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        warn_without_email(request)
        return super().changelist_view(request, *args, **more)

    def changeform_view(self, request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        if request.method == "GET":
            warn_without_email(request)
        return super().changeform_view(request, *args, **more)


def warn_without_email(request: HttpRequest) -> None:
    if not settings.EMAIL_CONFIGURED:
        messages.warning(request, f"E-mails are not sent: {NO_EMAIL}.")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, ModelAdmin):
    list_display = ("created_at", "channel", "how", "title", "attempts", "sent_at", "problem")
    list_filter = ("state", "channel")
    list_select_related = ("channel",)
    search_fields = ("title", "problem")
    show_full_result_count = False
    actions = ("send_again",)
    fields = (
        ("channel", "how", "title"),
        "message",
        ("created_at", "sent_at", "attempts"),
        ("next_at", "problem"),
    )
    readonly_fields = ("how",)

    @display(description="state", ordering="state", label=DELIVERY_COLOURS)
    def how(self, row: Delivery) -> str:
        return row.state

    @action(description="Send again what failed or waits", permissions=["send"])
    def send_again(self, request: HttpRequest, rows: QuerySet) -> None:
        chosen = rows.filter(state__in=(FAILED, WAITING))
        keys = list(chosen.values_list("pk", flat=True))
        Delivery.objects.filter(pk__in=keys, state__in=(FAILED, WAITING)).update(
            state=WAITING, next_at=timezone.now(), attempts=0
        )
        queued = [queue("alerts.deliver", pk) for pk in keys]
        if not all(queued):
            messages.warning(request, NO_WORKER)
        messages.info(request, f"{len(keys)} are being sent again.")

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("alerts.change_delivery")
