"""Bringing a database to the newest schema with Alembic; the migrations are package data."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Engine

from hutong.relay.ledger.values.errors import LedgerUnavailable

MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config() -> Config:
    """Alembic's configuration without a file: where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def newest_revision() -> str | None:
    """The schema that this code expects, as the id of its newest migration; read from the migration files at
    each call.
    """
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def upgrade_to_head(engine: Engine) -> None:
    """Run the migrations that are missing, all or none.

    Raises:
        LedgerUnavailable: the database has a revision that this code does not know.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        if connection.dialect.name == "postgresql":  # filling a new table takes as long as the ledger is large
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise LedgerUnavailable(f"the ledger was written by another version of hutong: {error}") from None
