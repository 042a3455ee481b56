"""Tables that Alembic keeps, and transactions on them: one writer at a time, all or nothing."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import trio
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from hutong.relay.ledger.store.engine import reason_of
from hutong.relay.services.identity.store.erasing import empty_log

MIGRATIONS = Path(__file__).parent / "migrations"

Answer = TypeVar("Answer")


class StoreUnavailable(Exception):
    """The database cannot be opened, read or written; one sentence, without a password or a row."""


class RowTaken(StoreUnavailable):
    """A row that may be there once is there already."""


class Database:
    """One role's. Its transactions run in a thread, one after the other."""

    def __init__(self, engine: Engine) -> None:
        """Bring `engine` to the newest tables.

        Raises:
            StoreUnavailable: it cannot be reached, or another version of hutong wrote it.
        """
        self._engine = engine
        self._one_at_a_time = trio.CapacityLimiter(1)
        try:
            _upgrade(engine)
        except SQLAlchemyError as error:
            raise StoreUnavailable(self._reason(error)) from None

    async def run(self, transaction: Callable[[Connection], Answer]) -> Answer:
        """What `transaction` returns, once all that it wrote is on the disk; what it raises undoes all of it.

        It is not abandoned when the caller is cancelled: what has begun is on the disk or undone.

        Raises:
            StoreUnavailable: the database refuses.
        """
        return await trio.to_thread.run_sync(self.run_now, transaction, limiter=self._one_at_a_time)

    def run_now(self, transaction: Callable[[Connection], Answer]) -> Answer:
        """As `run`, in the caller's thread; for commands without a daemon."""
        try:
            with self._engine.begin() as connection:
                return transaction(connection)
        except IntegrityError as error:
            raise RowTaken(self._reason(error)) from None
        except SQLAlchemyError as error:
            raise StoreUnavailable(self._reason(error)) from None

    async def empty_log(self) -> None:
        """See `erasing.empty_log`.

        Raises:
            StoreUnavailable: the database refuses.
        """
        await trio.to_thread.run_sync(self._empty_log, limiter=self._one_at_a_time)

    def _empty_log(self) -> None:
        try:
            empty_log(self._engine)
        except SQLAlchemyError as error:
            raise StoreUnavailable(self._reason(error)) from None

    def _reason(self, error: SQLAlchemyError) -> str:
        password = self._engine.url.password
        return reason_of(error, None if password is None else str(password), self._engine.url.database)


def _upgrade(engine: Engine) -> None:
    """Every role's migrations are a branch of their own, so that roles grow without knowing of each other."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "heads")
        except CommandError as error:
            raise StoreUnavailable(f"the database was written by another version of hutong: {error}") from None
