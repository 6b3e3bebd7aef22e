"""Who may open a page of an organisation: its members, by their roles."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache

from billing.organisations.models import Membership
from billing.organisations.roles import May

Page = Callable[..., HttpResponse]


def members_page(*any_of: May) -> Callable[[Page], Page]:
    """Give the view the caller's membership. Strangers get a 404, other roles a 403.

    any_of: one of these is enough; none: every member may.
    """

    def decorate(view: Page) -> Page:
        @never_cache
        @login_required
        @wraps(view)
        def page(request: HttpRequest, organisation: int, **rest: Any) -> HttpResponse:
            memberships = Membership.objects.select_related("organisation", "user")
            found = get_object_or_404(memberships, organisation=organisation, user=request.user)
            if any_of and not any(found.may(what) for what in any_of):
                raise PermissionDenied
            request.membership = found  # type: ignore[attr-defined]
            return view(request, found, **rest)

        page.any_of = any_of  # type: ignore[attr-defined]
        return page

    return decorate
