"""How the application is served: by uvicorn, with connections that are bounded."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

import uvicorn

from api.transport.connection import BoundedConnection
from api.transport.limits import MOST_HEADER_BYTES, MOST_PATH_BYTES, MOST_QUERY_BYTES


def server_config(app: Any, **options: Any) -> uvicorn.Config:
    """Uvicorn's settings for *app*; *options* go before ours."""
    return uvicorn.Config(app, **(server_options() | options))


def server_options(*, proxies: Sequence[str] = ()) -> dict[str, Any]:
    """Our settings of :class:`uvicorn.Config`.

    Only *proxies* (addresses or networks) are believed when they say for whom they speak (``X-Forwarded-…``). Where there
    are any, only they and this machine are listened to, so that nobody comes past them.
    """
    return {
        "http": _from(proxies) if proxies else BoundedConnection,
        "ws": "none",
        "lifespan": "off",
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "proxy_headers": bool(proxies),
        "forwarded_allow_ips": list(proxies),
        # Fewer are accepted at a time than there may be, so that each is heard before it may have to make room.
        "backlog": BoundedConnection.most_connections // 2,
        "timeout_graceful_shutdown": 2,
        "h11_max_incomplete_event_size": MOST_HEADER_BYTES + MOST_PATH_BYTES + MOST_QUERY_BYTES,
    }


def _from(proxies: Sequence[str]) -> type[BoundedConnection]:
    class ProxiedConnection(BoundedConnection):
        peers = tuple(ipaddress.ip_network(one, strict=False) for one in proxies)

    return ProxiedConnection
