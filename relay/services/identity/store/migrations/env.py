"""Run by Alembic with the connection that `hutong.relay.services.identity.store.transactions` hands over."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="identity_alembic_version",
    render_as_batch=True,  # SQLite alters tables by copying them
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
