"""GET /v1/statements: the months of the key's account, as JSON, CSV and a page to print."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from billing.statements.answers import listed, one
from gatewayz.api.asking import number as counted
from gatewayz.api.base import AsyncAPIView, caller
from gatewayz.plane import plane

ON_A_PAGE, MOST = 100, 1000
TYPES = {".csv": "text/csv; charset=utf-8", ".html": "text/html; charset=utf-8"}


class StatementList(AsyncAPIView):
    """The monthly statements of the key's account, the newest first."""

    endpoint = "account"

    async def get(self, request: Request) -> Response:
        key = await caller(request)
        limit = counted(request, "limit", MOST) or ON_A_PAGE
        offset = counted(request, "offset", 10**6) or 0
        return Response(await plane.ask(listed, key, limit, offset))


class StatementDetail(AsyncAPIView):
    """One statement; `.csv` behind its number or `Accept: text/csv` gives CSV, `.html` a page."""

    endpoint = "account"

    async def get(self, request: Request, number: str, form: str = "") -> HttpResponseBase:
        key = await caller(request)
        if not form and "text/csv" in request.META.get("HTTP_ACCEPT", ""):
            form = ".csv"
        found = await plane.ask(one, key, int(number), form)
        if not form:
            return Response({"data": found})
        answer = HttpResponse(found, content_type=TYPES[form])
        if form == ".csv":
            answer["Content-Disposition"] = f'attachment; filename="statement-{int(number):06}.csv"'
        return answer
