"""How the application is served: by uvicorn, with connections that are bounded."""

from __future__ import annotations

from typing import Any

import uvicorn

from api.connection import BoundedConnection
from api.limits import MOST_HEADER_BYTES, MOST_PATH_BYTES, MOST_QUERY_BYTES


def server_config(app: Any, **options: Any) -> uvicorn.Config:
    """Uvicorn's settings for *app*; *options* are further ones of :class:`uvicorn.Config`.

    Nobody is believed to speak for another (``X-Forwarded-…``) unless *options* name who.
    """
    settings: dict[str, Any] = {
        "http": BoundedConnection,
        "ws": "none",
        "lifespan": "off",
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_graceful_shutdown": 2,
        "h11_max_incomplete_event_size": MOST_HEADER_BYTES + MOST_PATH_BYTES + MOST_QUERY_BYTES,
    }
    return uvicorn.Config(app, **(settings | options))
