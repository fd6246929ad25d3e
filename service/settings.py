"""Settings of the process itself, from the command line or the environment (``SHOUYUAN_…``)."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Where data lies and where pages are served. The campus itself is in its folder."""

    # a variable that is set to nothing is not set: data would be the folder one happens to be in
    model_config = SettingsConfigDict(
        env_prefix="SHOUYUAN_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    data: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    #: addresses or networks of the reverse proxies that speak HTTPS for us, comma between them
    behind_proxy: str = ""
    #: PEM files for HTTPS of our own
    tls_cert: Path | None = None
    tls_key: Path | None = None
    #: sqlite under *data* unless a PostgreSQL URL is given
    database_url: str = ""
    #: without systemd: how long a frozen service may live on before it ends itself for another supervisor; 0 for ever
    frozen_exit_s: float = Field(default=0, ge=0)
    log_json: bool = False
    log_level: str = "info"

    def operations_url(self) -> str:
        """The operations database's URL."""
        return self.database_url or f"sqlite:///{self.data / 'operations.db'}"
