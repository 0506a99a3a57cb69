"""Alembic's entry: runs the migrations on the connection that `itcare.store.schema` hands over."""

from alembic import context

from itcare.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
