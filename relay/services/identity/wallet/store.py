"""The wallet's SQLite file. Rows are sealed by the vault: without the password the file tells how many there are, no more.

That a credential was presented is written before the presentation leaves: a wallet that is killed in between loses one
credential of a batch and never shows one twice.
"""

import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.wallet.errors import NothingLeft, WalletUnusable
from hutong.relay.services.identity.wallet.holdings import Holding, Instance, Presented
from hutong.relay.services.identity.wallet.issuing.pending import Pending
from hutong.relay.services.identity.wallet.vault import Vault

FORMAT: Final = 2
Row = TypeVar("Row")
NAME_BYTES: Final = 4
BUSY_S: Final = 30.0
_SCHEMA: Final = """
CREATE TABLE holding (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
CREATE TABLE instance (
    holding TEXT NOT NULL REFERENCES holding (name), number INTEGER NOT NULL,
    presented INTEGER NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (holding, number)
) STRICT;
CREATE TABLE presented (number INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
CREATE TABLE pending (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
"""
_FROM_FORMAT_1: Final = "CREATE TABLE pending (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT"
_FRESH: Final = "SELECT number, sealed FROM instance WHERE holding = ? AND presented = 0 ORDER BY number LIMIT 1"
_ANY: Final = "SELECT number, sealed FROM instance WHERE holding = ? ORDER BY number LIMIT 1"
_PRESENTED: Final = "UPDATE instance SET presented = 1 WHERE holding = ? AND number = ?"


class WalletStore:
    """One file, for one process and thread at a time; others wait for each other, `BUSY_S` at most."""

    def __init__(self, path: Path, vault: Vault) -> None:
        """Open the file of a wallet, made by `create`.

        Raises:
            WalletUnusable: there is no such file, or it is of another format.
        """
        self._vault = vault
        if not path.is_file():
            raise WalletUnusable(f"{path}: there is no store; make a wallet by: hutong wallet init")
        with _usable(path):
            self._database = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
            found = self._opened_format()
            if found != FORMAT:
                raise WalletUnusable(f"{path}: a store of format {found}, and this version reads {FORMAT}")
            self._database.execute("PRAGMA foreign_keys = ON")
            self._database.execute("PRAGMA synchronous = FULL")

    def _opened_format(self) -> int:
        """The file's format; one of format 1 has the new table from now on."""
        query = "PRAGMA user_version"
        if self._database.execute(query).fetchone()[0] == 1:
            with self._transaction():
                if self._database.execute(query).fetchone()[0] == 1:  # no other process was faster
                    self._database.execute(_FROM_FORMAT_1)
                    self._database.execute(f"PRAGMA user_version = {FORMAT}")
        return int(self._database.execute(query).fetchone()[0])

    @staticmethod
    def create(path: Path) -> None:
        """Make the file, for its owner alone.

        Raises:
            WalletUnusable: it is there, or cannot be made.
        """
        with _usable(path):
            path.touch(mode=0o600, exist_ok=False)
            database = sqlite3.connect(path)
            try:
                database.executescript(f"PRAGMA journal_mode = WAL;{_SCHEMA}PRAGMA user_version = {FORMAT};")
            finally:
                database.close()

    def add(self, holding: Holding, instances: Sequence[Instance]) -> Holding:
        """Keep what an offer brought, whole or not at all; with the name that it gets."""
        return self._add(holding, instances, None)

    def _add(self, holding: Holding, instances: Sequence[Instance], was_pending: str | None) -> Holding:
        named = replace(holding, name=secrets.token_hex(NAME_BYTES))
        with self._transaction():
            if was_pending is not None:
                self._database.execute("DELETE FROM pending WHERE name = ?", (was_pending,))
            sealed = self._vault.seal(named.to_bytes(), _place(named.name))
            self._database.execute("INSERT INTO holding VALUES (?, ?)", (named.name, sealed))
            rows = [
                (named.name, number, self._vault.seal(each.to_bytes(), _place(named.name, number)))
                for number, each in enumerate(instances)
            ]
            self._database.executemany("INSERT INTO instance VALUES (?, ?, 0, ?)", rows)
        return named

    def put_off(self, pending: Pending) -> Pending:
        """Keep what an issuer gives later, or what it said of it anew; with the name that it gets the first time."""
        named = pending if pending.name else replace(pending, name=secrets.token_hex(NAME_BYTES))
        with self._transaction():
            sealed = self._vault.seal(named.to_bytes(), f"pending {named.name}")
            self._database.execute("INSERT OR REPLACE INTO pending VALUES (?, ?)", (named.name, sealed))
        return named

    def pending(self) -> list[Pending]:
        """All that is still to come, the oldest first."""
        rows = self._database.execute("SELECT name, sealed FROM pending ORDER BY rowid").fetchall()
        return [self._pending(name, sealed) for name, sealed in rows]

    def came(self, pending: Pending, holding: Holding, instances: Sequence[Instance]) -> Holding:
        """Keep what was still to come, which it is no more; whole or not at all."""
        return self._add(holding, instances, pending.name)

    def give_up(self, name: str) -> bool:
        """Forget what was still to come, with its keys, and whether it was there."""
        with self._transaction():
            return self._database.execute("DELETE FROM pending WHERE name = ?", (name,)).rowcount == 1

    def holdings(self) -> list[Holding]:
        """All, the oldest first."""
        rows = self._database.execute("SELECT name, sealed FROM holding ORDER BY rowid").fetchall()
        return [self._holding(name, sealed) for name, sealed in rows]

    def holding(self, name: str) -> Holding | None:
        """The one of a name, or None."""
        row = self._database.execute("SELECT sealed FROM holding WHERE name = ?", (name,)).fetchone()
        return None if row is None else self._holding(name, row[0])

    def left(self, name: str) -> int:
        """How many credentials of a holding were never presented."""
        query = "SELECT count(*) FROM instance WHERE holding = ? AND presented = 0"
        return int(self._database.execute(query, (name,)).fetchone()[0])

    def instance(self, name: str, number: int = 0) -> Instance:
        """One credential, to look at; it counts as it did.

        Raises:
            WalletUnusable: there is none of this number.
        """
        query = "SELECT sealed FROM instance WHERE holding = ? AND number = ?"
        row = self._database.execute(query, (name, number)).fetchone()
        if row is None:
            raise WalletUnusable(f"the wallet's store has no credential {number} of {name}")
        return self._instance(name, number, row[0])

    def take(self, holding: Holding) -> Instance:
        """The next credential to present, to a verifier or a contract; from now on it was presented.

        Raises:
            NothingLeft: all were, and each is for one time.
        """
        query = _FRESH if holding.is_one_time else _ANY
        with self._transaction():
            row = self._database.execute(query, (holding.name,)).fetchone()
            if row is None:
                raise NothingLeft(
                    f"all {holding.count} credentials of {holding.name} were presented; "
                    f"accept another offer of {holding.issuer}"
                )
            number, sealed = row
            instance = self._instance(holding.name, number, sealed)
            self._database.execute(_PRESENTED, (holding.name, number))
        return instance

    def note(self, presented: Presented) -> None:
        """A line of the diary."""
        with self._transaction():
            number = self._database.execute("SELECT coalesce(max(number), 0) + 1 FROM presented").fetchone()[0]
            sealed = self._vault.seal(presented.to_bytes(), f"presented {number}")
            self._database.execute("INSERT INTO presented VALUES (?, ?)", (number, sealed))

    def diary(self, most: int) -> list[Presented]:
        """The newest lines, the newest first."""
        query = "SELECT number, sealed FROM presented ORDER BY number DESC LIMIT ?"
        rows = self._database.execute(query, (most,)).fetchall()
        return [self._presented(number, sealed) for number, sealed in rows]

    def forget(self, name: str) -> bool:
        """Remove a holding with its credentials and keys, and whether it was there. The diary stays."""
        with self._transaction():
            self._database.execute("DELETE FROM instance WHERE holding = ?", (name,))
            return self._database.execute("DELETE FROM holding WHERE name = ?", (name,)).rowcount == 1

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _holding(self, name: str, sealed: bytes) -> Holding:
        return _read(lambda: Holding.from_bytes(name, self._vault.open(sealed, _place(name))))

    def _instance(self, name: str, number: int, sealed: bytes) -> Instance:
        return _read(lambda: Instance.from_bytes(self._vault.open(sealed, _place(name, number))))

    def _presented(self, number: int, sealed: bytes) -> Presented:
        return _read(lambda: Presented.from_bytes(self._vault.open(sealed, f"presented {number}")))

    def _pending(self, name: str, sealed: bytes) -> Pending:
        return _read(lambda: Pending.from_bytes(name, self._vault.open(sealed, f"pending {name}")))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


def _place(name: str, number: int | None = None) -> str:
    return f"holding {name}" if number is None else f"instance {name} {number}"


def _read(read: Callable[[], Row]) -> Row:
    """What a row says. It was sealed by a wallet, so what does not read is of another version, or a bug."""
    try:
        return read()
    except MalformedInput as error:
        raise WalletUnusable(f"the wallet's store has a row that this version does not read: {error}") from None


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise WalletUnusable(f"{path}: {error}") from None
