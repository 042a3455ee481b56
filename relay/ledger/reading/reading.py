"""The database opened for reading beside a running relay: nothing is written, and the relay is not kept waiting."""

from pathlib import Path
from typing import Any, Self

from sqlalchemy import Engine, column, select, table
from sqlalchemy.exc import SQLAlchemyError

from hutong.relay.ledger.store.engine import Password, open_engine, reason_of
from hutong.relay.ledger.store.migrate import newest_revision
from hutong.relay.ledger.values.errors import LedgerUnavailable

_REVISION: Any = select(column("version_num")).select_from(table("alembic_version"))


class Reading:
    """Every call blocks, and raises LedgerUnavailable in one sentence."""

    def __init__(self, engine: Engine, password: Password) -> None:
        self.engine = engine
        """Of its database, which takes no writes over it."""
        self._password = password
        self._lateral = engine.dialect.name == "postgresql"

    @classmethod
    def open_file(cls, path: Path) -> Self:
        """The SQLite file of a relay, running or not.

        Raises:
            LedgerUnavailable: there is no such file, or it has another schema than this hutong reads.
        """
        if not path.exists():
            raise LedgerUnavailable(f"there is no ledger at {path}; has the relay run?")
        return cls._checked(open_engine(f"sqlite:///{path}", read_only=True), None)

    @classmethod
    def open_url(cls, url: str, password: Password = None) -> Self:
        """Open the database for reading alone.

        Raises:
            LedgerUnavailable: it is not there, or has another schema than this hutong reads.
        """
        return cls._checked(open_engine(url, password, read_only=True), password)

    @classmethod
    def beside(cls, other: "Reading") -> Self:
        """What else can be read of the same database, over the connections of `other`: close one of the two."""
        return cls(other.engine, other._password)

    @classmethod
    def _checked(cls, engine: Engine, password: Password) -> Self:
        reader = cls(engine, password)
        try:
            found = reader._rows(_REVISION)
        except LedgerUnavailable:
            engine.dispose()
            raise
        revision = found[0]["version_num"] if found else None
        if revision != newest_revision():
            engine.dispose()
            raise LedgerUnavailable(
                f"the ledger has schema {revision}, this hutong reads {newest_revision()}: start its relay once"
            )
        return reader

    def close(self) -> None:
        """Give the connections back. Further calls would open new ones."""
        self.engine.dispose()

    def _one(self, query: Any, parameters: dict[str, Any] | None = None) -> dict[str, Any] | None:
        rows = self._rows(query, parameters)
        return rows[0] if rows else None

    def _rows(self, query: Any, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        try:
            with self.engine.connect() as connection:
                return [dict(row) for row in connection.execute(query, parameters or {}).mappings()]
        except SQLAlchemyError as error:
            raise LedgerUnavailable(f"the ledger cannot be read: {reason_of(error, self._password)}") from None
