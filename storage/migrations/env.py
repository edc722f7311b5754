"""Alembic's environment: runs the migrations on the connection of the caller."""

from alembic import context

from storage import partial_indexes  # noqa: F401 - it adds indexes to the tables.
from storage.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
