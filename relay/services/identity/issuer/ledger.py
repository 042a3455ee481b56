"""The issuer's memory of lists and log, as the database has them, and what stands between it and the hub.

An issuance is on the disk, with its log entry, before the credential leaves: whatever instant the process dies in, the
entry is there when it begins again, and the hub is told of it then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import trio
from sqlalchemy import Connection

from hutong.relay.services.identity.issuer.growing_log import GrowingLog
from hutong.relay.services.identity.issuer.list_book import ListBook
from hutong.relay.services.identity.store import issuances
from hutong.relay.services.identity.store.issuances import IssuedRow, ListRow
from hutong.relay.services.identity.store.transactions import Database, RowTaken


@dataclass(slots=True)
class IssuerLedger:
    """Lists, log, and the one lock under which indices and positions are given out."""

    database: Database
    book: ListBook
    log: GrowingLog = field(default_factory=GrowingLog)
    lock: trio.Lock = field(default_factory=trio.Lock)
    changed: trio.Event = field(default_factory=trio.Event)
    """Set when there is something new for the hub; then replaced."""
    last_revocation: int = 0
    hub_refusal: str | None = None
    """Why nothing may be issued, as the last pass over the hub found it."""
    has_other_writer: bool = False
    """Somebody else issues from this database: positions and indices that are free here are taken there."""

    @property
    def refusal(self) -> str | None:
        """Why nothing may be issued, in one sentence."""
        if self.has_other_writer:
            return "another process issues from this database; stop it, and start this one again"
        return self.hub_refusal

    async def load(self) -> None:
        """Read everything from the database.

        Raises:
            StoreUnavailable: it cannot be read.
        """
        await self.database.run(self._load)

    def _load(self, connection: Connection) -> None:
        for row in issuances.lists_of(connection):
            self.book.add(row.number, row.size, is_open=row.is_open)
        for number, index, status, entry in issuances.places_of(connection):
            self.book.take(number, index)
            if status:
                self.book.set_status(number, index)
            self.log.append(entry)

    async def read_revocations(self) -> tuple[tuple[int, int, int], ...]:
        """Bits of what was revoked since, also by a command. Returns number, list and index of each decision.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        last = self.last_revocation
        found = await self.database.run(lambda connection: issuances.revocations_after(connection, last))
        for number, list_number, index, _ in found:
            self.book.set_status(list_number, index)
            self.last_revocation = number
        return tuple((number, list_number, index) for number, list_number, index, _ in found)

    async def add_list(self, row: ListRow) -> None:
        """A list that is open from now on.

        Raises:
            StoreUnavailable: the database refuses.
        """
        await self.database.run(lambda connection: issuances.add_list(connection, row))
        self.book.add(row.number, row.size, is_open=row.is_open)

    async def close_list(self, number: int) -> None:
        """Nothing more is issued over a list, such as one that the end of its key sealed on the hub.

        Raises:
            StoreUnavailable: the database refuses.
        """
        await self.database.run(lambda connection: issuances.close_list(connection, number))
        self.book.close(number)

    async def commit(
        self,
        rows: Callable[[int], Sequence[IssuedRow]],
        also: Callable[[Connection], None],
    ) -> None:
        """Issuances on the disk and in the log. The caller holds `lock`.

        Args:
            rows: the issuances from the first free position on.
            also: what the request uses up, in the same transaction; what it raises undoes all.

        Raises:
            StoreUnavailable: the database refuses. And what `also` raises.
        """
        added = rows(self.log.size)

        def write(connection: Connection) -> None:
            also(connection)
            issuances.add_issuances(connection, added)

        try:
            with trio.CancelScope(shield=True):  # once it is on the disk, memory must know of it
                await self.database.run(write)
                for row in added:
                    self.log.append(row.entry)
        except RowTaken:
            self.has_other_writer = True
            raise
        self.wake()

    def wake(self) -> None:
        """There is something new for the hub."""
        self.changed.set()
        self.changed = trio.Event()
