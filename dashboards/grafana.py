"""Everything we ask of Grafana, through ``grafana-api``: folder, data source, dashboards. Asking twice changes nothing.

The library's own methods speak of numeric ids that Grafana 13 switches off; its transport (``.api.GET`` …) is used
with the addresses by uid instead (INTEGRATIONS.md 4.1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from grafana_api.grafana_api import GrafanaClientError, GrafanaServerError
from grafana_api.grafana_face import GrafanaFace

from dashboards.boards import Board
from dashboards.errors import GrafanaRefused, GrafanaUnreachable
from dashboards.panel import SOURCE_UID

_TIMEOUT_S = 15.0


class DataSource(msgspec.Struct, frozen=True):
    """The InfluxDB that Grafana reads from, as Grafana reaches it."""

    url: str
    org: str
    bucket: str
    token: str

    def __repr__(self) -> str:
        return f"DataSource({self.url}, {self.org}/{self.bucket})"


class Applied(msgspec.Struct, frozen=True):
    """What was done, for the person who asked."""

    version: str
    folder: str
    source: str
    dashboards: tuple[str, ...]


class Grafana:
    """One Grafana. *auth* is a service-account token, or (user, password)."""

    def __init__(self, url: str, auth: str | tuple[str, str]) -> None:
        parts = urlsplit(url)
        self._url = url
        prefix = parts.path.strip("/")
        self._api = GrafanaFace(
            auth=auth,
            host=parts.hostname,
            port=parts.port,
            protocol=parts.scheme,
            url_path_prefix=f"{prefix}/" if prefix else "",
            timeout=_TIMEOUT_S,
        ).api

    def apply(self, folder: tuple[str, str], source: DataSource, dashboards: Sequence[Board]) -> Applied:
        """Makes or renews the folder (uid, title), the data source and the dashboards."""
        version = str(self._ask("health", lambda: self._api.GET("/health")).get("version", "?"))
        uid, title = folder
        self._upsert(
            "the folder",
            lambda: self._api.GET(f"/folders/{uid}"),
            lambda: self._api.POST("/folders", json={"uid": uid, "title": title}),
            lambda: self._api.PUT(f"/folders/{uid}", json={"title": title, "overwrite": True}),
        )
        body = _source_body(source)
        self._upsert(
            "the data source",
            lambda: self._api.GET(f"/datasources/uid/{SOURCE_UID}"),
            lambda: self._api.POST("/datasources", json=body),
            lambda: self._api.PUT(f"/datasources/uid/{SOURCE_UID}", json=body),
        )
        for board in dashboards:
            stored = {
                "dashboard": board | {"id": None},
                "folderUid": uid,
                "overwrite": True,
                "message": "shouyuan grafana apply",
            }
            self._ask(
                f"dashboard {board['uid']}",
                lambda stored=stored: self._api.POST("/dashboards/db", json=stored),
            )
        return Applied(version, uid, SOURCE_UID, tuple(board["uid"] for board in dashboards))

    def _upsert(
        self, what: str, look: Callable[[], Any], make: Callable[[], Any], renew: Callable[[], Any]
    ) -> None:
        try:
            self._ask(what, look)
        except GrafanaRefused as error:
            if error.status != 404:
                raise
            self._ask(what, make)
        else:
            self._ask(what, renew)

    def _ask(self, what: str, call: Callable[..., Any]) -> dict[str, Any]:
        try:
            answer = call()
        except GrafanaServerError as error:
            raise GrafanaUnreachable(self._url, str(error.message)) from error
        except GrafanaClientError as error:
            raise GrafanaRefused(what, error.status_code, str(error.message)) from error
        except requests.RequestException as error:
            raise GrafanaUnreachable(self._url, str(error)) from error
        return answer if isinstance(answer, dict) else {}


def _source_body(source: DataSource) -> dict[str, Any]:
    return {
        "uid": SOURCE_UID,
        "name": "shouyuan",
        "type": "influxdb",
        "access": "proxy",
        "url": source.url,
        "jsonData": {"version": "Flux", "organization": source.org, "defaultBucket": source.bucket},
        "secureJsonData": {"token": source.token},
    }
