"""GET /v1/models, one of them, and the offers of one."""

import time
from array import array
from collections.abc import Sequence
from dataclasses import replace

from msgspec import Raw
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.asks import ANY, Ask, Preferences
from catalog.exclusions import Scene
from catalog.listing import View
from catalog.naming import Reader
from catalog.offering import offering
from catalog.problems import not_found, refusal
from catalog.resolver import routes_of
from catalog.sheets import Order, Sheet
from catalog.trace import SILENT
from catalog.values import Model, Snapshot
from gatewayz.api.answers import Whole
from gatewayz.api.asking import EVERY_ROW, Selection, gateway, permissions
from gatewayz.api.base import Answer, AsyncAPIView
from gatewayz.api.bodies import check_name
from gatewayz.api.documents import document, known, tag_of
from gatewayz.api.renderers import JSON
from gatewayz.plane import plane
from providers.errors import GatewayError

ON_A_PAGE = 25


async def looking(request: Request) -> View:
    """Return the caller's view, at the provider that the query names."""
    may, snapshot = await permissions(request), plane.live.snapshot
    return View(snapshot, may, gateway(request, snapshot), time.time())


class ModelList(AsyncAPIView):
    """The models that can be called: all, or those of one `gateway` (or `provider`).

    `q` searches, `capability` filters, `sort` orders, `limit` and `offset` cut.
    """

    endpoint = "models"

    async def get(self, request: Request) -> Answer:
        view, wanted = await looking(request), Selection.asked(request)
        for_page = request.accepted_renderer is not JSON
        if for_page and wanted.limit is None:
            wanted = replace(wanted, limit=ON_A_PAGE)
        sheet = await plane.sheet(view)
        if wanted == EVERY_ROW:
            return known(request, sheet.etag) or await whole(request, sheet)
        order = await ordered(sheet, wanted.sort)
        numbers = chosen(sheet, wanted, order, view.snapshot)
        if for_page:
            return Response(Raw(sheet.page(numbers, wanted.limit, wanted.offset)))
        tag = tag_of(sheet.etag, wanted, array("I", numbers).tobytes() if wanted.q else b"")
        return known(request, tag) or await document(
            request, tag, sheet.page(numbers, wanted.limit, wanted.offset)
        )


async def whole(request: Request, sheet: Sheet) -> Whole:
    async def compressed() -> bytes:
        made = sheet.gzipped
        return made if made is not None else await plane.aside(sheet.compressed)

    return await document(request, sheet.etag, sheet.body, compressed)


async def ordered(sheet: Sheet, sort: str) -> Order | None:
    if not sort:
        return None
    return sheet.order(sort) if sheet.has_order(sort) else await plane.aside(sheet.order, sort)


def chosen(
    sheet: Sheet, wanted: Selection, order: Order | None, snapshot: Snapshot
) -> Sequence[int]:
    """Return the numbers of the rows that were asked for, in order."""
    numbers: Sequence[int] = range(len(sheet))
    if wanted.capability:
        numbers = sheet.able.get(wanted.capability, array("I"))
    if wanted.q:
        able = numbers if isinstance(numbers, range) else set(numbers)
        found = map(sheet.numbers.get, snapshot.finder.search(wanted.q))
        numbers = [number for number in found if number is not None and number in able]
    if order is None:
        return numbers
    if isinstance(numbers, range):
        return order.numbers
    return sorted(numbers, key=order.places.__getitem__)


class ModelDetail(AsyncAPIView):
    """One model, by its id or any other name of it; `gateway` or `provider`: as it is there."""

    endpoint = "models"

    async def get(self, request: Request, name: str) -> Response:
        view = await looking(request)
        model, pinned = named(view, check_name(name))
        entry = pinned.entry(model)
        if entry is None:
            raise refused(view, name, model)
        return Response(entry.row())


class ModelEndpoints(AsyncAPIView):
    """The offers of one model: providers, prices, what they take, how well they do."""

    endpoint = "models"

    async def get(self, request: Request, name: str) -> Response:
        view = await looking(request)
        model, pinned = named(view, check_name(name))
        if pinned.entry(model) is None:
            raise refused(view, name, model)
        return Response(offering(pinned, model))


def named(view: View, name: str) -> tuple[Model, View]:
    """Return the model that `name` means, and the view of the provider in it. Raises refused()."""
    target = Reader(view.snapshot, SILENT).find(name, view.slug)
    model = view.snapshot.models.get(target.model_id) if target is not None else None
    if target is None or model is None:
        raise refused(view, name, None)
    return model, replace(view, slug=view.slug or target.pin)


def refused(view: View, name: str, model: Model | None) -> GatewayError:
    """Return the error that a request for the model would meet."""
    kind = next(iter(model.capabilities), "chat") if model is not None else "chat"
    wanted = Preferences(only=(view.slug,)) if view.slug else ANY
    ask = Ask(name, (), kind, permissions=view.permissions)
    scene = Scene(view.snapshot, ask, wanted, view.now)
    problem = routes_of(scene, name, SILENT)
    return not_found(scene, name) if problem.routes else refusal(scene, problem)
