"""Idempotency keys: the first answer to each, kept for a day in a small SQLite file, so that a repeated request sends nothing twice."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

KEEP_S = 86_400
MAX_KEPT = 100_000
"""Rows of every key together; the oldest make room."""

_RETRIED = ""
"""In place of an answer: more than one request with the key was under way."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    owner TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL, answer TEXT, at_s INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_by_time ON answers (at_s);
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a key. `answer` is None while the first request is under way, or was cut off on its way."""

    digest: bytes
    answer: str | None


class IdempotencyStore:
    """Every call blocks for a write to the disk. `owner` is the API key's name: keys of others are others."""

    def __init__(self, path: Path, now_s: Callable[[], float]) -> None:
        self._path = path
        self._now_s = now_s
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None

    def claim(self, owner: str, key: str, digest: bytes) -> Kept | None:
        """Take a key for a request. Keys older than KEEP_S are forgotten first.

        Args:
            owner: name of the API key that the request came with.
            digest: of the request's body; compared by the caller.

        Returns:
            None: it is new, and now this request's. Else what is kept.

        Raises:
            sqlite3.Error, OSError: the file cannot be written; nothing is claimed.
        """
        with self._lock:
            connection = self._opened()
            now_s = int(self._now_s())
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.execute("DELETE FROM answers WHERE at_s < ?", (now_s - KEEP_S,))
                row = connection.execute(
                    "SELECT digest, answer FROM answers WHERE owner = ? AND key = ?", (owner, key)
                ).fetchone()
                if row is None:
                    self._make_room(connection)
                    connection.execute("INSERT INTO answers VALUES (?, ?, ?, NULL, ?)", (owner, key, digest, now_s))
                elif row[1] is None and bytes(row[0]) == digest:
                    connection.execute(
                        "UPDATE answers SET answer = ? WHERE owner = ? AND key = ?", (_RETRIED, owner, key)
                    )
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            return None if row is None else Kept(bytes(row[0]), row[1] or None)

    def keep(self, owner: str, key: str, digest: bytes, answer: str) -> None:
        """Keep the answer to a request with that digest, whether or not its claim is still there.

        A key that was claimed with another digest is left as it is.

        Raises:
            sqlite3.Error: the file cannot be written.
        """
        with self._lock:
            self._opened().execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?) ON CONFLICT (owner, key)"
                " DO UPDATE SET answer = excluded.answer WHERE digest = excluded.digest",
                (owner, key, digest, answer, int(self._now_s())),
            )

    def release(self, owner: str, key: str) -> bool:
        """Free a key whose request sent nothing.

        Returns:
            False, and the key stays, where another request with the same body came after it: that one may send, or have
            sent.
        """
        with self._lock:
            released = self._opened().execute(
                "DELETE FROM answers WHERE owner = ? AND key = ? AND answer IS NULL", (owner, key)
            )
            return released.rowcount > 0

    def close(self) -> None:
        """Close the file. A later call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _make_room(self, connection: sqlite3.Connection) -> None:
        (count,) = connection.execute("SELECT count(*) FROM answers").fetchone()
        if count >= MAX_KEPT:
            connection.execute(
                "DELETE FROM answers WHERE (owner, key) IN (SELECT owner, key FROM answers ORDER BY at_s LIMIT ?)",
                (count - MAX_KEPT + 1,),
            )

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.touch(mode=0o600)
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=5)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(_SCHEMA)
            self._connection = connection
        return self._connection
