"""What experience says of offers and block rules, on their admin pages."""

from typing import Any

from celery import current_app
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from kombu.exceptions import OperationalError
from unfold.decorators import display

from catalog.evidence.models import Evidence, OfferHealth
from catalog.evidence.verdicts import DOWN, UP
from catalog.models import BlockRule, Offer
from catalog.syncs.sightings import sighting
from providers.panels import Choice, ReadOnly, Rows

SHOWN = 20
AT_ONCE = 50
COLORS = {UP: "success", DOWN: "danger"}


class HealthFilter(Choice):
    title = "health"
    parameter_name = "health"
    conditions = {
        "up": Q(health__state=UP),
        "down": Q(health__state=DOWN),
        "unknown": ~Q(health__state__in=(UP, DOWN)),
    }

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "unknown":
            return queryset.filter(Q(health=None) | Q(health__state="unknown"))
        return super().queryset(request, queryset)


class SuccessFilter(Choice):
    title = "success within an hour"
    parameter_name = "success"
    conditions = {
        "below half": Q(health__success_rate__lt=0.5),
        "below 95 %": Q(health__success_rate__lt=0.95),
        "95 % and more": Q(health__success_rate__gte=0.95),
        "no requests": Q(health__success_rate=None),
    }


class EvidenceRows(ReadOnly, Rows):
    """The latest evidence of one offer."""

    model = Evidence
    fields = ("at", "source", "outcome", "status", "detail", "latency_ms", "tokens_per_second")
    readonly_fields = fields
    verbose_name_plural = f"evidence, the latest {SHOWN}"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        offer_id = request.resolver_match.kwargs.get("object_id", "")
        if not offer_id.isdigit():
            return rows.none()
        newest = Evidence.objects.filter(offer=offer_id).values_list("pk", flat=True)[:SHOWN]
        return rows.filter(pk__in=list(newest))


class HealthColumns:
    """Columns and an action of the offers' page."""

    actions = ("probe_now",)

    @display(description="health", ordering="health__state", label=COLORS)
    def health(self, row: Offer) -> str:
        return state_of(row).state

    @display(description="success, 1 h", ordering="health__success_rate")
    def success(self, row: Offer) -> str:
        rate = state_of(row).success_rate
        return "-" if rate is None else f"{rate:.1%}"

    @display(description="experience")
    def experience(self, row: Offer) -> str:
        held = state_of(row)
        lines = [sighting(row), f"last success {moment(held.last_success_at)}"]
        lines.append(f"last failure {moment(held.last_failure_at)}")
        lines += [f"{name}: {told(window)}" for name, window in held.windows.items()]
        if held.down_since:
            lines.insert(0, f"down since {moment(held.down_since)}")
        return "; ".join(lines)

    @admin.action(description="Probe now", permissions=["change"])
    def probe_now(self, request: HttpRequest, rows: QuerySet) -> None:
        chosen = list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
        try:
            current_app.send_task("evidence.probe_offers", [chosen], retry=False)
        except (OperationalError, OSError) as problem:
            messages.error(request, f"The background worker cannot be reached: {problem}")
            return
        said = f"{len(chosen)} offers are being probed; what comes of it appears on their pages."
        messages.success(request, said)


def state_of(row: Offer) -> OfferHealth:
    held: Any = getattr(row, "health", None)
    return held or OfferHealth(offer=row)


def moment(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"


def told(window: dict[str, Any]) -> str:
    names = {
        "success_rate": "success rate",
        "p50_ms": "p50 ms",
        "p95_ms": "p95 ms",
        "first_token_ms": "first token ms",
        "tokens_per_second": "tokens/s",
    }
    shown = [f"{name} {window[key]}" for key, name in names.items() if window.get(key) is not None]
    return ", ".join([f"{window.get('requests', 0)} requests", *shown])


class HitColumns:
    """Columns of the block rules' page."""

    @display(description="hits", ordering="counted__hits")
    def hits(self, row: BlockRule) -> int:
        return row.counted.hits if hasattr(row, "counted") else 0

    @display(description="last hit")
    def last_hit(self, row: BlockRule) -> str:
        return moment(row.counted.last_hit_at if hasattr(row, "counted") else None)
