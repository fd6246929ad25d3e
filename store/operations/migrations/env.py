"""Alembic's entry: always on the connection that :func:`store.operations.database.upgrade` hands over."""

from __future__ import annotations

from alembic import context

from store.operations.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
