"""What an account's page offers about payments."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import action

from billing import money
from billing.models import Account
from billing.payments.codes import redeem
from billing.payments.forms import RedeemForm
from providers.errors import CodeRefused

REDEEM = {
    "title": "Redeem a code",
    "description": "Gives the account what a promotion code is worth.",
    "form_class": RedeemForm,
    "form_submit_text": "Redeem",
}


class Redeems:
    @action(description="Redeem a code", icon="redeem", permissions=["change"], dialog=REDEEM)
    def redeem(self, request: HttpRequest, form: RedeemForm, object_id: str) -> HttpResponse:
        account = Account.objects.get(pk=object_id)
        try:
            amount = redeem(account, form.cleaned_data["code"], request.user.get_username())
            messages.info(request, f"Posted {money.written(amount)} for {account}.")
        except CodeRefused as problem:
            messages.error(request, str(problem))
        page = reverse("admin:billing_account_change", args=[account.pk])
        return HttpResponse(headers={"HX-Redirect": page})
