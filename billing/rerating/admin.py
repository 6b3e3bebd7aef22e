"""Re-ratings: enter the right price, look at the preview, book it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet, Sum
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm

from billing import money
from billing.money import BadAmount
from billing.rerating.applying import apply, preview
from billing.rerating.models import Rerating, Share
from billing.rerating.rating import CannotRerate
from providers.panels import FORM_FIELDS, ReadOnly

BOOK = {
    "title": "Book the corrections",
    "description": "One transaction for each account; what is booked stays booked.",
    "form_class": BaseDialogForm,
    "form_submit_text": "Book",
}


class ShareInline(ReadOnly, TabularInline):
    model = Share
    fields = readonly_fields = ("account", "requests", "was", "right", "credit", "outcome")
    per_page = 50

    @display(description="charged")
    def was(self, row: Share) -> str:
        return money.written(row.was_nano)

    @display(description="right")
    def right(self, row: Share) -> str:
        return money.written(row.right_nano)

    @display(description="credit")
    def credit(self, row: Share) -> str:
        return money.written(row.credit_nano)

    @display(description="outcome")
    def outcome(self, row: Share) -> str:
        if row.done:
            return "booked" if row.transaction_id else "left as it was"
        wanted = row.credit_nano > 0 or (row.credit_nano < 0 and row.rerating.debits)
        return "would be booked" if wanted else "would stay as it is"


@admin.register(Rerating)
class ReratingAdmin(ModelAdmin):
    formfield_overrides = FORM_FIELDS
    list_display = ("__str__", "state", "until", "requests", "credited", "reason", "author")
    list_filter = ("state",)
    search_fields = ("model_id", "provider", "reason")
    inlines = (ShareInline,)
    actions_detail = ("again", "book")
    fields = (
        ("model_id", "provider"),
        ("since", "until"),
        ("input_price", "output_price", "cached_input_price"),
        "other_prices",
        ("reason", "debits"),
        ("state", "requests", "credited"),
        ("author", "created_at", "applied_at"),
    )
    add_fieldsets = ((None, {"fields": fields[:5]}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        credit = Sum(F("shares__was_nano") - F("shares__right_nano"))
        return rows.annotate(requests=Sum("shares__requests"), credit_nano=credit)

    @display(description="requests")
    def requests(self, row: Rerating) -> int:
        return getattr(row, "requests", None) or 0

    @display(description="too much charged")
    def credited(self, row: Rerating) -> str:
        return money.written(getattr(row, "credit_nano", None) or 0)

    def get_readonly_fields(self, request: HttpRequest, obj: Rerating | None = None) -> list[str]:
        """What was previewed is what will be booked: a mistake is another one."""
        names = [
            name for group in self.fields for name in ([group] if isinstance(group, str) else group)
        ]
        return names if obj else []

    def get_inlines(self, request: HttpRequest, obj: Rerating | None) -> Any:
        return self.inlines if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Rerating | None = None) -> bool:
        gone = obj is not None and not obj.shares.filter(done=True).exists()
        return gone and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Rerating, form: ModelForm, change: Any) -> None:
        obj.author = obj.author or request.user.get_username()
        super().save_model(request, obj, form, change)
        told(request, obj)

    @action(description="Preview again", icon="refresh", permissions=["change"])
    def again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        told(request, Rerating.objects.get(pk=object_id))
        return HttpResponseRedirect(page(object_id))

    @action(description="Book it", icon="done_all", permissions=["change"], dialog=BOOK)
    def book(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        try:
            booked = apply(Rerating.objects.get(pk=object_id), request.user.get_username())
            messages.info(request, f"Corrected {booked} accounts.")
        except (CannotRerate, BadAmount) as problem:
            messages.error(request, str(problem))
        return HttpResponse(headers={"HX-Redirect": page(object_id)})


def told(request: HttpRequest, rerating: Rerating) -> None:
    """Preview it, and say if that cannot be done."""
    try:
        preview(rerating)
    except CannotRerate as problem:
        messages.error(request, str(problem))


def page(object_id: str) -> str:
    return reverse("admin:rerating_rerating_change", args=[object_id])
