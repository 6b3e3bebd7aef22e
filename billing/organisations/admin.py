"""Admin pages of organisations."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.forms import CharField, ChoiceField
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from billing import money
from billing.models import Account
from billing.organisations.invitations import Invited, invite
from billing.organisations.models import Membership, Organisation
from billing.organisations.roles import CHOICES
from providers.panels import Rows


class InviteForm(BaseDialogForm):
    username = CharField(
        max_length=150,
        widget=UnfoldAdminTextInputWidget(),
        help_text="A user's name, or an address for somebody new.",
    )
    role = ChoiceField(choices=CHOICES, widget=UnfoldAdminSelectWidget())


INVITE = {
    "title": "Add a member",
    "description": "Somebody new gets a link, shown once, to choose a password with.",
    "form_class": InviteForm,
    "form_submit_text": "Add",
}


class MembershipRows(Rows):
    model = Membership
    autocomplete_fields = ("user",)


class AccountRows(Rows):
    """Which accounts it owns; an account is given to it on the account's own page."""

    model = Account
    fields = readonly_fields = ("name", "plan", "enabled", "balance")
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return False

    @display(description="balance")
    def balance(self, row: Account) -> str:
        return money.written(row.balance_nano)


@admin.register(Organisation)
class OrganisationAdmin(ModelAdmin):
    list_display = ("name", "created_at")
    search_fields = ("name",)
    readonly_fields = ("created_at",)
    fields = ("name", "created_at")
    inlines = (MembershipRows, AccountRows)
    actions_detail = ("add_member",)
    warn_unsaved_form = True

    @action(description="Add a member", icon="person_add", permissions=["change"], dialog=INVITE)
    def add_member(self, request: HttpRequest, form: InviteForm, object_id: str) -> HttpResponse:
        organisation, data = Organisation.objects.get(pk=object_id), form.cleaned_data
        try:
            told(request, invite(organisation, data["username"], data["role"]))
        except ValidationError as problem:
            self.message_user(request, "; ".join(problem.messages), messages.ERROR)
        page = reverse("admin:organisations_organisation_change", args=[organisation.pk])
        return HttpResponse(headers={"HX-Redirect": page})


def told(request: HttpRequest, invited: Invited) -> None:
    """Say who came in, with the link if there is one: it is kept nowhere."""
    messages.success(request, f"Added {invited.membership}.")
    if invited.path:
        shown = "Send them this link, it is shown once: <code>{}</code>"
        messages.warning(request, format_html(shown, request.build_absolute_uri(invited.path)))
