"""The API's description of itself: FastAPI's, with every status that a guarded route and the layers around it can answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_ERROR = {
    "type": "object",
    "properties": {
        "error": {"type": "string", "description": "What was found and what was expected, in English."},
        "detail": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Each field that is refused.",
        },
        "problems": {"type": "array", "items": {"type": "object"}, "description": "Each mistake in a file."},
    },
    "required": ["error"],
}
_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
_ALWAYS = {
    414: "The path or the query is too long",
    422: "A parameter or field is not what it should be; names it",
    431: "The headers are too long",
    500: "An error of the service; its log says more",
    503: "Too many requests at once, or the store or database is away; try again",
}
_WITH_BODY = {400: "The body cannot be read", 413: "The body is too large"}
_WITH_NAME = {404: "Nothing of that name or number"}

#: what a route's ``responses`` hold
Responses = dict[int | str, dict[str, Any]]


def refusals(*, role: str, body: bool, names: bool) -> Responses:
    """What a route can answer in place of what it is for: one that needs a *role*, takes a *body*, has *names* in its path."""
    statuses = dict(_ALWAYS)
    if role:
        statuses |= {401: "Not signed in", 403: f"Needs the role {role}, and a request of our own pages"}
    if body:
        statuses |= _WITH_BODY
    if names:
        statuses |= _WITH_NAME
    return {status: {"description": words, "content": _CONTENT} for status, words in statuses.items()}


def refused(status: int, words: str) -> Responses:
    """One refusal more, of a single route."""
    return {status: {"description": words, "content": _CONTENT}}


def describing(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What ``app.openapi`` is to be."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            body = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            components = body.setdefault("components", {})
            components.setdefault("schemas", {})["Error"] = _ERROR
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            app.openapi_schema = body
        return app.openapi_schema

    return openapi
