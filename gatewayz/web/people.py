"""Members: an owner adds them, changes their roles and removes them."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from billing.organisations.invitations import invite, may_get_link, password_path
from billing.organisations.models import Membership
from billing.organisations.roles import May
from gatewayz.web.forms import InviteForm, RoleForm
from gatewayz.web.members import members_page


@members_page(May.MEMBERS)
def members(request: HttpRequest, membership: Membership) -> HttpResponse:
    """List the members, and add one; somebody new gets a link, shown this once."""
    form, link = InviteForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            invited = invite(membership.organisation, data["username"], data["role"])
        except ValidationError as problem:
            form.add_error("username", problem.messages)
        else:
            messages.success(request, f"{invited.membership.user.get_username()} is a member.")
            link, form = invited.path, InviteForm()
    return shown(request, membership, form, link)


def shown(
    request: HttpRequest, membership: Membership, form: InviteForm, path: str = ""
) -> HttpResponse:
    rows = membership.organisation.memberships.select_related("user").order_by("user__username")
    context = {
        "membership": membership,
        "form": form,
        "link": path and request.build_absolute_uri(path),
        "people": [(row, RoleForm(initial={"role": row.role}), may_get_link(row)) for row in rows],
    }
    return render(request, "account/members.html", context)


def of(membership: Membership, pk: int) -> Membership:
    return get_object_or_404(membership.organisation.memberships.select_related("user"), pk=pk)


def tried(request: HttpRequest, membership: Membership, change: Callable[[], str]) -> HttpResponse:
    """Make a change and tell of it, or of why it cannot be."""
    try:
        messages.success(request, change())
    except ValidationError as problem:
        messages.error(request, "; ".join(problem.messages))
    return redirect("account:members", membership.organisation_id)


@require_POST
@members_page(May.MEMBERS)
def change_role(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    row, form = of(membership, pk), RoleForm(request.POST)

    def change() -> str:
        if not form.is_valid():
            raise ValidationError("There is no such role.")
        row.change_role(form.cleaned_data["role"])
        return f"{row.user.get_username()} is {row.role} now."

    return tried(request, membership, change)


@require_POST
@members_page(May.MEMBERS)
def remove(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    row = of(membership, pk)

    def change() -> str:
        revoked = row.end()
        return f"{row.user.get_username()} is no member any more; {revoked} keys were revoked."

    answer = tried(request, membership, change)
    return redirect("account:home") if row.user_id == membership.user_id else answer


@require_POST
@members_page(May.MEMBERS)
def link(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    """Show another link to somebody who has not chosen a password yet."""
    row = of(membership, pk)
    if not may_get_link(row):
        messages.error(request, "They have a password, or belong elsewhere, too.")
        return redirect("account:members", membership.organisation_id)
    return shown(request, membership, InviteForm(), password_path(row))
