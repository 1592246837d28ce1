"""What is served where."""

from __future__ import annotations

from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from db.store import InventoryError
from scanner.report.escape import visible
from scanner.serve.beside import beside
from scanner.serve.changes import Changes, EventStream
from scanner.serve.fresh import Fresh
from scanner.serve.gate import UNFRAMED
from scanner.serve.source import Source

JSON = "application/json"


def application(source: Source, policy: str, changes: Changes | None = None) -> ASGIApp:
    """Routes to the page, JSON and events, all read-only; ``policy``: the page's own (CSP 3)."""
    told = changes or Changes(source)
    page, document = Fresh(source.page, source.mark), Fresh(source.document, source.mark)
    headers = {"content-security-policy": policy + UNFRAMED}

    async def show(request: Request) -> Response:
        return Response(await page.get(), media_type="text/html", headers=headers)

    async def hosts(request: Request) -> Response:
        return Response(await document.get(), media_type=JSON)

    async def host(request: Request) -> Response:
        name = request.path_params["name"]
        found = await beside(lambda: source.host(name))
        return JSONResponse(found) if found else _unknown(name)

    async def device(request: Request) -> Response:
        name = request.path_params["name"]
        found = await beside(lambda: source.host(name))
        return RedirectResponse(f"/#device={quote(found['host'], safe='')}", 303) if found else _unknown(name)

    async def events(request: Request) -> Response:
        if request.method == "HEAD":
            return Response(media_type=EventStream.media_type)
        if told.join():
            return EventStream(told)
        return PlainTextResponse("too many listen already\n", 503, {"Retry-After": "60"})

    routes = [
        Route("/", show),
        Route("/hosts.json", hosts),
        Route("/hosts/{name:path}", host),
        Route("/device/{name:path}", device),
        Route("/events", events),
    ]
    return Starlette(routes=routes, exception_handlers={InventoryError: _unavailable})


def _unknown(name: str) -> Response:
    return PlainTextResponse(f"{visible(name)}: no such host\n", 404)


async def _unavailable(request: Request, fault: Exception) -> Response:
    """Locked, broken or gone: it may be back when it is asked again."""
    return PlainTextResponse(f"{visible(str(fault))}\n", 503, {"Retry-After": "10"})
