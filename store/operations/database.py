"""Opens the operations database and brings its tables up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from store.errors import DatabaseTooNew

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_MS = 10_000
#: a server that does not answer is given up after seconds, not after the minutes that TCP would wait
_PATIENCE = {
    "connect_timeout": 3, "tcp_user_timeout": 5_000, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
}  # fmt: skip


def open_database(url: str) -> sa.Engine:
    """An engine for *url* (``sqlite:///…`` or ``postgresql+psycopg://…``), its tables up to date.

    Raises :class:`store.errors.DatabaseTooNew` for tables of a later version.
    """
    is_server = sa.make_url(url).get_backend_name() == "postgresql"
    engine = sa.create_engine(url, pool_pre_ping=is_server, connect_args=_PATIENCE if is_server else {})
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _on_sqlite_connect)
        sa.event.listen(engine, "begin", _on_sqlite_begin)
    upgrade(engine)
    return engine


def reading(engine: sa.Engine) -> sa.Engine:
    """The same database for transactions that only read; these wait for nobody."""
    return engine.execution_options(read_only=True)


def known_revisions() -> set[str]:
    """The revisions of the tables that this version can work with or bring up to date."""
    return {one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def upgrade(engine: sa.Engine) -> None:
    """Applies every migration that is missing."""
    config = _config()
    script = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        connection.rollback()
    if current is not None and current not in {one.revision for one in script.walk_revisions()}:
        raise DatabaseTooNew(str(engine.url.database), current)
    if current == script.get_current_head():
        return
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    # We begin transactions ourselves (below): the driver would begin them too late, and as readers.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={_BUSY_MS}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_sqlite_begin(connection: sa.Connection) -> None:
    """A transaction that may write says so at once: two that began as readers would fail on their first write."""
    reading = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
