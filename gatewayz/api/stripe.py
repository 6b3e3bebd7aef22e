"""POST /webhooks/stripe: where Stripe tells of payments. The signature is its only key."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from billing.payments.checks import is_open
from billing.payments.webhook import receive
from gatewayz.api.fallbacks import answer, not_here
from providers.errors import GatewayError


@csrf_exempt
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    if not is_open():
        return answer(not_here(request.path))
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        outcome, said = receive(request.body, request.headers.get("Stripe-Signature"))
    except GatewayError as problem:
        return answer(problem)
    return JsonResponse({"received": True, "outcome": outcome, "message": said})
