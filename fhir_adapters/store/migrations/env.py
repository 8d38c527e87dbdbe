"""Alembic's environment: it runs on the connection `migrate.upgrade` gives it."""

from __future__ import annotations

from alembic import context

from fhir_adapters.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
