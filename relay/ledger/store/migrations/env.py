"""Run by Alembic with the connection that `hutong.relay.ledger.store.migrate` hands over."""

from alembic import context

from hutong.relay.ledger.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters tables by copying them
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
