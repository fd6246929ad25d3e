"""The web application: the API, the pages, and nothing that needs the outside world."""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from alerts.errors import AlertOver, NoSuchAlert, NoSuchDrill
from api.errors import ApiError, NotSignedIn, printable, shortened
from api.pages import language_of
from api.ports import DrillRefused, RegisterRefused
from api.routes import (
    account_pages,
    adopt,
    alerts,
    audit,
    calendar,
    calendar_page,
    consumption,
    devices,
    drill_pages,
    drills,
    health,
    live,
    own_account,
    pages,
    quarantine,
    register,
    replay,
    session,
    tokens,
    users,
)
from api.services import Services
from api.transport.limits import Limits
from api.transport.openapi import describing
from api.transport.stream_seats import StreamSeats
from campus.text import translator
from store.errors import StoreUnavailable

log = structlog.get_logger()

_STATIC = Path(__file__).parent / "static"
_DESCRIPTION = "Devices, readings and alerts of one campus. Times are UTC milliseconds or ISO 8601; values are in canonical units."
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    # Nothing inline: what somebody wrote into a name or a message can be neither script nor style.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        "manifest-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def create_app(services: Services) -> FastAPI:
    """The application on *services*. The interactive documentation is off, as it would load from outside."""
    app = FastAPI(
        title="Shouyuan 守园",
        version=services.version,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.state.replaying = threading.Lock()
    app.state.stream_seats = StreamSeats()
    for module in (
        session,
        devices,
        consumption,
        alerts,
        live,
        quarantine,
        register,
        adopt,
        calendar,
        calendar_page,
        drills,
        drill_pages,
        replay,
        health,
        users,
        tokens,
        own_account,
        audit,
        account_pages,
        pages,
    ):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(NoSuchAlert, _on_missing)
    app.add_exception_handler(NoSuchDrill, _on_missing)
    app.add_exception_handler(DrillRefused, _on_drill_refused)
    app.add_exception_handler(AlertOver, _on_conflict)
    app.add_exception_handler(StoreUnavailable, _on_unavailable)
    app.add_exception_handler(RegisterRefused, _on_refused)
    app.openapi = describing(app)  # type: ignore[method-assign]  # FastAPI's own way to extend it
    app.add_middleware(Limits, headers=_SECURITY)
    return app


def _on_api_error(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, ApiError) else 500
    wants_page = "text/html" in request.headers.get("accept", "")
    if isinstance(error, NotSignedIn) and wants_page and request.method == "GET":
        where = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        return RedirectResponse(f"/sign-in?{urlencode({'next': where}, safe='/')}", status_code=303)
    headers = error.headers if isinstance(error, ApiError) else {}
    return JSONResponse({"error": str(error)}, status_code=status, headers=headers)


def _on_http_error(_request: Request, error: Exception) -> Response:
    """What Starlette refuses itself, in our form: no such path, no such method, a body too large."""
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    words = error.detail if isinstance(error, HTTPException) else str(error)
    return JSONResponse({"error": words}, status_code=status, headers=headers)


def _on_invalid(_request: Request, error: Exception) -> Response:
    """Each parameter and field that is not what it should be; what was sent is shown in part and as text only."""
    problems = error.errors() if isinstance(error, RequestValidationError) else ()
    detail = [
        {
            "loc": [printable(str(part)) for part in one["loc"]],
            "msg": printable(one["msg"]),
            "type": one["type"],
        }
        for one in problems
    ]
    texts = [
        f"{'.'.join(shown['loc'][1:]) or shown['loc'][0]} is {shortened(one.get('input'))}; {shown['msg']}"
        for one, shown in zip(problems, detail, strict=True)
    ]
    return JSONResponse({"error": "; ".join(texts), "detail": detail}, status_code=422)


def _on_missing(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=404)


def _on_conflict(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=409)


def _on_refused(_request: Request, error: Exception) -> Response:
    problems = error.problems if isinstance(error, RegisterRefused) else ()
    body = {"error": str(error), "problems": [msgspec.to_builtins(one) for one in problems]}
    return JSONResponse(body, status_code=422)


def _on_drill_refused(request: Request, error: Exception) -> Response:
    translate = translator(language_of(request, request.app.state.services))
    words = error.words(translate) if isinstance(error, DrillRefused) else str(error)
    return JSONResponse({"error": words}, status_code=409)


def _on_unavailable(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=503)
