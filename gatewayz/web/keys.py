"""A member's own keys; an owner sees and may revoke everybody's."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from billing.models import ApiKey
from billing.organisations.models import Membership
from billing.organisations.roles import May
from gatewayz.web.forms import KeyForm, RotateForm
from gatewayz.web.members import members_page

ON_A_PAGE = 50
MOST_KEYS = 200  # of one member in one organisation, that are not revoked


def visible(membership: Membership) -> QuerySet[ApiKey]:
    rows = ApiKey.objects.filter(account__organisation=membership.organisation)
    if not membership.may(May.ALL_KEYS):
        rows = rows.filter(holder=membership.user)
    return rows.select_related("account", "holder").order_by("revoked_at", "-created_at", "-pk")


@members_page(May.OWN_KEYS)
def keys(request: HttpRequest, membership: Membership) -> HttpResponse:
    """List the keys, and make one."""
    form = KeyForm(membership, request.POST or None)
    if request.method == "POST" and form.is_valid():
        held = visible(membership).filter(holder=membership.user, revoked_at=None).count()
        if held < MOST_KEYS:
            return secret(request, membership, form.row, form.issue())
        form.add_error(None, f"You hold {MOST_KEYS} keys here; revoke some first.")
    page = Paginator(visible(membership), ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"membership": membership, "form": form, "page": page, "rotate": RotateForm()}
    return render(request, "account/keys.html", context)


def secret(request: HttpRequest, membership: Membership, row: ApiKey, token: str) -> HttpResponse:
    """Show a secret this once; it is in no later page, no message and no cookie."""
    context = {"membership": membership, "row": row, "token": token}
    return render(request, "account/secret.html", context)


@require_POST
@members_page(May.OWN_KEYS)
def revoke(request: HttpRequest, membership: Membership, public_id: str) -> HttpResponse:
    row = get_object_or_404(visible(membership), public_id=public_id)
    if row.revoked_at is None:
        ApiKey.objects.filter(pk=row.pk).revoke()
    messages.success(request, f"{row.label} is refused from now on.")
    return redirect("account:keys", membership.organisation_id)


@require_POST
@members_page(May.OWN_KEYS)
def rotate(request: HttpRequest, membership: Membership, public_id: str) -> HttpResponse:
    """Give a key of one's own a new secret: another's secret is another's."""
    own = visible(membership).filter(holder=membership.user)
    row = get_object_or_404(own, public_id=public_id)
    form = RotateForm(request.POST)
    try:
        if form.is_valid():
            return secret(request, membership, row, row.rotate(form.grace()))
        messages.error(request, "Say for how long the secret of now stays good.")
    except ValidationError as problem:
        messages.error(request, "; ".join(problem.messages))
    return redirect("account:keys", membership.organisation_id)
