"""The errors of the dashboards.

DashboardsError
├── GrafanaUnreachable    Grafana does not answer
├── GrafanaRefused        Grafana answers and refuses; carries its own words
└── NoDataSource          the site's store is not one that Grafana can read
"""

from __future__ import annotations

from campus.store_url import StoreKind, form_of, without_secret


class DashboardsError(Exception):
    """Base of every error this room raises."""


class GrafanaUnreachable(DashboardsError):
    """Raised when Grafana cannot be reached or fails itself."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        super().__init__(f"Grafana at {url} does not answer: {reason}")


class GrafanaRefused(DashboardsError):
    """Raised when Grafana refuses what is asked of it."""

    def __init__(self, what: str, status: int, reason: str) -> None:
        self.status = status
        super().__init__(f"Grafana refused {what} with {status}: {reason}")


class NoDataSource(DashboardsError):
    """Raised when the dashboards would have nothing to read from."""

    def __init__(self, store: str) -> None:
        super().__init__(
            f"Grafana cannot read the store {without_secret(store)!r}; set store: {form_of(StoreKind.INFLUXDB)} in site.yaml"
        )
