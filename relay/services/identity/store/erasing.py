"""What is deleted leaves the files of the database, too: SQLite keeps it in free pages and in its write-ahead log otherwise.

PostgreSQL's own vacuum and the rotation of its log do this for that database; see its manual.
"""

from typing import Any, Final

from sqlalchemy import Engine, event

SWEEP_S: Final = 30.0
"""Between two passes over what ended: for so long the write-ahead log may still hold it."""


def erase_what_is_deleted(engine: Engine) -> None:
    """Connections from now on overwrite what they delete with zeros. Nothing is done for another database than SQLite."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _overwrite)


def empty_log(engine: Engine) -> None:
    """Bring the write-ahead log into the database and cut it to nothing: older versions of pages stand in it.

    While somebody reads an older state the log stays; the next call tries again.
    """
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()


def _overwrite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()
