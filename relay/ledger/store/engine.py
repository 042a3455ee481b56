"""Opening the database: SQLite or PostgreSQL, with a password that stands in no URL, error or log."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from hutong.relay.base.extras import install_hint
from hutong.relay.ledger.values.errors import LedgerUnavailable

Password = str | None

BUSY_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 10
STATEMENT_TIMEOUT_MS = 30_000
MAX_REASON_CHARS = 300
_PRIMARY_CODE = 0xFF
"""Of SQLite's extended codes."""


def open_engine(url: str, password: Password = None, *, read_only: bool = False) -> Engine:
    """An engine for `sqlite:///…` or `postgresql://…`; nothing is connected yet.

    Raises:
        LedgerUnavailable: another kind of database, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise LedgerUnavailable("the ledger's URL is not one of SQLAlchemy's") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _open_sqlite(parsed, read_only=read_only)
    if backend != "postgresql":
        raise LedgerUnavailable(f"the ledger's database may be sqlite or postgresql, not {backend[:20]}")
    return _open_postgresql(parsed, password, read_only=read_only)


def reason_of(error: Exception, password: Password = None, file: str | None = None) -> str:
    """The driver's first line about a failure, without statements, parameters and the password.

    Args:
        password: is cut out of what the driver says, wherever it stands.
        file: path of a SQLite database, whose folder a full or failing disk is named by.

    Returns:
        One sentence of at most MAX_REASON_CHARS of the driver's words, with a remedy where SQLite's code tells one.
    """
    original = getattr(error, "orig", None)
    said = "" if original is None else str(original).partition("\n")[0]
    remedy = _remedy_of(original, "" if file is None else f" in {Path(file).parent}")
    if password:
        said = said.replace(password, "[redacted]")
    return f"{type(error).__name__}: {said[:MAX_REASON_CHARS]}{remedy}" if said else type(error).__name__


def write_nothing(connection: Connection) -> None:
    """A transaction with this reaches the disk when it is committed, and changes no row: it shows that writing works.

    SQLite's `user_version` is set to 0, which nobody reads.
    """
    if connection.dialect.name == "sqlite":
        # The number is nobody's; setting it writes the page that it stands on, where a row that stays equal writes none.
        connection.exec_driver_sql("PRAGMA user_version = 0")
    else:
        connection.exec_driver_sql("SELECT txid_current()")


def _remedy_of(original: object, where: str) -> str:
    """SQLite says "disk I/O error" also where the last page did not fit on the disk any more."""
    code = getattr(original, "sqlite_errorcode", None)
    if code is None:
        return ""
    if code & _PRIMARY_CODE == sqlite3.SQLITE_FULL:
        return f"; no space is left on the ledger's disk{where}: free some, nothing is lost"
    if code & _PRIMARY_CODE == sqlite3.SQLITE_IOERR:
        return f" ({original.sqlite_errorname}); look whether the ledger's disk{where} is full or damaged"  # type: ignore[attr-defined]
    return ""


def _open_sqlite(url: URL, *, read_only: bool) -> Engine:
    if read_only:
        url = url.set(database=f"file:{url.database}").update_query_dict({"mode": "ro", "uri": "true"})
    engine = create_engine(url, hide_parameters=True)
    event.listen(engine, "connect", _set_read_pragmas if read_only else _set_pragmas)
    return engine


def _open_postgresql(url: URL, password: Password, *, read_only: bool) -> Engine:
    url = url.set(drivername="postgresql+psycopg")
    if password is not None:
        url = url.set(password=password)
    # Compiling a query takes longer than any of the ledger's runs, and PostgreSQL does it by a guess of the cost.
    options = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c jit=off"
    if read_only:
        options += " -c default_transaction_read_only=on"
    arguments = {"connect_timeout": CONNECT_TIMEOUT_S, "options": options, "application_name": "hutong"}
    try:
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=2, connect_args=arguments)
    except (ImportError, NoSuchModuleError):
        raise LedgerUnavailable(f"a ledger in PostgreSQL needs its driver; {install_hint('postgresql')}") from None


def _set_pragmas(connection: Any, _record: Any) -> None:
    _run_pragmas(connection, "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


def _set_read_pragmas(connection: Any, _record: Any) -> None:
    connection.text_factory = _text  # what is no UTF-8 is found with its row, and stops no other
    _run_pragmas(connection, "query_only=ON")


def _text(value: bytes) -> str:
    return value.decode(errors="surrogateescape")


def _run_pragmas(connection: Any, *pragmas: str) -> None:
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_S * 1000}", *pragmas):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
