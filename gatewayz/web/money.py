"""Usage and money, as far as the member's role shows them."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from billing.facts.reports import COLUMNS, Question, total, usage
from billing.facts.standing import given, standing
from billing.models import ApiKey
from billing.organisations.models import Membership
from billing.organisations.roles import May
from gatewayz.web.forms import PeriodForm
from gatewayz.web.members import members_page

SHOWN = 100
TITLES = {"date": "day", "model": "model", "key": "key"}
DAY = timedelta(days=1)


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Go to the only organisation, or choose one."""
    rows = Membership.objects.filter(user=request.user).select_related("organisation")
    memberships = list(rows.order_by("organisation__name"))
    if not memberships and request.user.is_staff:
        return redirect("admin:index")
    if len(memberships) == 1:
        return redirect("account:overview", memberships[0].organisation_id)
    return render(request, "account/home.html", {"memberships": memberships})


def question(membership: Membership, start: datetime, end: datetime, *groups: str) -> Question:
    """Ask about what the member may see: everybody's usage, or that of their own keys."""
    accounts = list(membership.organisation.accounts.values_list("pk", flat=True))
    keys = None
    if not membership.may(May.ALL_USAGE):
        own = ApiKey.objects.filter(account__in=accounts, holder=membership.user)
        keys = list(own.values_list("public_id", flat=True))
    return Question(accounts, keys, start, end, groups)


@members_page()
def overview(request: HttpRequest, membership: Membership) -> HttpResponse:
    now = timezone.now()
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    context: dict[str, Any] = {
        "membership": membership,
        "month": total(question(membership, month, now + DAY)),
        "month_began": month,
    }
    if membership.may(May.MONEY):
        context["accounts"] = membership.organisation.accounts.select_related("plan")
    return render(request, "account/overview.html", context)


@members_page()
def usage_page(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Show sums by day, by model and by key."""
    form = PeriodForm(request.GET or None)
    chosen = form.cleaned_data if form.is_valid() else {}
    today = timezone.now().date()
    last = chosen.get("end") or today
    first = chosen.get("start") or last - 29 * DAY
    start, end = midnight(first), midnight(last) + DAY
    groups = ("date", "model", "key") if membership.may(May.OWN_KEYS) else ("date", "model")
    tables = []
    for group in groups:
        rows, more = usage(question(membership, start, end, group), SHOWN)
        rows = [row | {"what": row[COLUMNS[group]]} for row in rows]
        tables.append({"title": f"By {TITLES[group]}", "rows": rows, "more": more})
    context = {
        "membership": membership,
        "form": form,
        "first": first,
        "last": last,
        "tables": tables,
        "total": total(question(membership, start, end)),
    }
    return render(request, "account/usage.html", context)


def midnight(day: Any) -> datetime:
    return datetime.combine(day, time.min, UTC)


@members_page(May.MONEY)
def money_page(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Show what each account was given, has spent and owns, and each time that it was given."""
    accounts = list(membership.organisation.accounts.select_related("plan"))
    entries = given([account.pk for account in accounts])
    context = {
        "membership": membership,
        "standings": [(account, standing(account)) for account in accounts],
        "page": Paginator(entries, SHOWN).get_page(request.GET.get("page")),
    }
    return render(request, "account/money.html", context)
