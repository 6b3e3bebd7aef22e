"""What an account's page offers about statements."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import action

from billing.models import Account
from billing.statements.forms import MonthForm
from billing.statements.issuing import CannotIssue, issue

ISSUE = {
    "title": "Issue a statement",
    "description": "Numbers it and seals it for good.",
    "form_class": MonthForm,
    "form_submit_text": "Issue",
}


class Issues:
    @action(
        description="Issue a statement", icon="description", permissions=["change"], dialog=ISSUE
    )
    def issue(self, request: HttpRequest, form: MonthForm, object_id: str) -> HttpResponse:
        account = Account.objects.get(pk=object_id)
        page = reverse("admin:billing_account_change", args=[account.pk])
        try:
            made = issue(account, form.cleaned_data["month"], request.user.get_username())
        except CannotIssue as problem:
            messages.error(request, str(problem))
            made = None
        else:
            if made is None:
                messages.info(request, "There is nothing to state: no money and no movement.")
        if made is not None:
            page = reverse("admin:statements_statement_change", args=[made.pk])
        return HttpResponse(headers={"HX-Redirect": page})
