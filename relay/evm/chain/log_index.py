"""In which blocks an address logged, and in which a topic stood at its place.

Written with the block. `INDEXED_FROM` says from which block on that was done: a database from before has its older
blocks indexed afterwards, newest first (`index_older_blocks`), and until then they are searched by their headers'
blooms.
"""

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heapreplace

from hutong.relay.evm.chain.blocks import Receipt
from hutong.relay.evm.chain.log_criteria import LogCriteria
from hutong.relay.evm.store.database import KeyValueReader, KeyValueWriter, Table, WritableTable

INDEX_TABLE = b"evm-blocks/i"
"""place (0: address, 1 to 4: topic) ‖ value ‖ BE8 number -> nothing"""
PROGRESS_TABLE = b"evm-blocks/x"
INDEXED_FROM = b"from"


def index_logs(writer: KeyValueWriter, number: int, receipts: tuple[Receipt, ...]) -> None:
    """Index a block's logs in the block's own batch.

    The first block that comes here is written down as the one from which on the index is whole.
    """
    progress = WritableTable(writer, PROGRESS_TABLE)
    if progress.get(INDEXED_FROM) is None:
        progress.put(INDEXED_FROM, number.to_bytes(8, "big"))
    put_logs(writer, number, receipts)


def put_logs(writer: KeyValueWriter, number: int, receipts: tuple[Receipt, ...]) -> None:
    """Write the index entries of one block's receipts, without saying from where on the index is whole."""
    index = WritableTable(writer, INDEX_TABLE)
    for value in _indexed(receipts):
        index.put(value + number.to_bytes(8, "big"), b"")


def prune_logs(writer: KeyValueWriter, number: int, receipts: tuple[Receipt, ...]) -> None:
    """Take the index entries of one block out, with the block.

    Args:
        receipts: those of the block: an entry that they do not name would stay.
    """
    index = WritableTable(writer, INDEX_TABLE)
    for value in _indexed(receipts):
        index.delete(value + number.to_bytes(8, "big"))


def _indexed(receipts: tuple[Receipt, ...]) -> list[bytes]:
    values = {
        value
        for receipt in receipts
        for log in receipt.logs
        for value in (b"\0" + log.address, *(bytes([place]) + topic for place, topic in enumerate(log.topics, 1)))
    }
    return sorted(values)


class LogIndex:
    def __init__(self, reader: KeyValueReader) -> None:
        self._index = Table(reader, INDEX_TABLE)
        self._progress = Table(reader, PROGRESS_TABLE)

    def indexed_from(self) -> int | None:
        """The first block from which on all are indexed; None in a database from before the index."""
        number = self._progress.get(INDEXED_FROM)
        return None if number is None else int.from_bytes(number, "big")

    def blocks_with(self, criteria: LogCriteria, first: int, last: int, spend: Callable[[], None]) -> Iterator[int]:
        """Numbers, ascending, of indexed blocks in which every criterion is met by some log, not always the same one.

        `criteria` must ask for an address or a topic. `spend` is called before each read and may end the search by
        raising.
        """
        groups = [_Group(self._index, values, spend) for values in _asked(criteria)]
        number = first
        while True:
            at: int | None = number
            for group in groups:
                at = group.first_from(number)
                if at is None or at > number:
                    break
            if at is None or at > last:
                return
            if at == number:
                yield number
                at += 1
            number = at


def is_narrowed(criteria: LogCriteria) -> bool:
    """Whether the criteria name an address or a topic, which is what the index knows."""
    return bool(_asked(criteria))


def _asked(criteria: LogCriteria) -> list[list[bytes]]:
    asked = [[b"\0" + address for address in sorted(criteria.addresses)]] if criteria.addresses else []
    asked += [
        [bytes([place]) + topic for topic in sorted(choices)]
        for place, choices in enumerate(criteria.topics, 1)
        if choices
    ]
    return asked


class _Group:
    """Choices of which one must be met: a heap of each one's next block, moved forward as the search goes on."""

    def __init__(self, index: Table, values: list[bytes], spend: Callable[[], None]) -> None:
        self._index = index
        self._spend = spend
        self._next = [(-1, value) for value in values]
        heapify(self._next)

    def first_from(self, number: int) -> int | None:
        while self._next:
            at, value = self._next[0]
            if at >= number:
                return at
            found = self._seek(value, number)
            if found is None:
                heappop(self._next)
            else:
                heapreplace(self._next, (found, value))
        return None

    def _seek(self, value: bytes, number: int) -> int | None:
        self._spend()
        entry = self._index.next(value + (number - 1).to_bytes(8, "big") if number else value)
        if entry is None or not entry[0].startswith(value):
            return None
        return int.from_bytes(entry[0][len(value) :], "big")
