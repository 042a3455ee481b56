"""How often the newest EVM state has each trie node and code, as far as that is more than once, and what it no longer has.

Counts may be too high: then a row outlives its use, and nothing else. They are never too low where the mark is there, which
a chain's genesis, a restored snapshot or one walk over the newest state puts.
"""

from hutong.relay.evm.store.database import KeyValueReader, KeyValueWriter, Table, WritableTable, WriteBatch
from hutong.relay.evm.vm.state_difference import places_between
from hutong.relay.evm.vm.state_traversal import StateItem
from hutong.relay.hub.state import StateDamaged
from hutong.relay.hub.state.stale import forget_stale, mark_needed, mark_stale, stale_since, take_stale

EVM_TABLE = b"hub-evm/"
"""Trie nodes and codes by hash."""
EVM_PRUNING_TABLE = b"hub-evm-pruning/"
_COUNTS = b"c"  # hash -> BE8 places in the newest state, where more than one
_STALE = b"p"
_MARK = b"m"
_FOR_EVER = 2**62
_FILTER_BITS = 2**27


def counts_places(store: KeyValueReader) -> bool:
    """Whether the counts are right, so that pruning may believe them."""
    return Table(store, EVM_PRUNING_TABLE).get(_MARK) is not None


def mark_counted(batch: KeyValueWriter) -> None:
    """Say that the counts are right from this batch on."""
    WritableTable(batch, EVM_PRUNING_TABLE).put(_MARK, b"1")


def land_records(
    batch: KeyValueWriter, store: KeyValueReader, executed: WriteBatch, version: int, old_root: bytes, new_root: bytes
) -> None:
    """Take into the block's batch what executing it wrote into the EVM's table, and count places.

    py-evm also writes nodes of states between transactions: where places are counted, those stay out.

    Args:
        executed: holds the pending writes of the execution over `store`.
        version: the block's height.
        old_root: state root (32 bytes) before the block, `new_root` after it.

    Raises:
        StateDamaged: a record between the two states is missing.
    """
    added = None
    if counts_places(batch):
        added = _count_places(batch, store, executed, version, old_root, new_root)
    for key, value in executed.pending():
        if value is not None and (added is None or key[len(EVM_TABLE) :] in added):
            batch.put(key, value)


def _count_places(
    batch: KeyValueWriter,
    store: KeyValueReader,
    executed: WriteBatch,
    version: int | None,
    old_root: bytes,
    new_root: bytes,
) -> set[bytes]:
    """Follow the step from one state to the next. Returns what has more places than before. Version None marks nothing stale."""
    stored, node_of = Table(store, EVM_TABLE), Table(executed, EVM_TABLE)

    def record(record_hash: bytes) -> bytes:
        found = node_of.get(record_hash)
        if found is None:
            raise StateDamaged(f"EVM record {record_hash.hex()} is missing")
        return found

    table = WritableTable(batch, EVM_PRUNING_TABLE)
    gone: list[bytes] = []
    added: set[bytes] = set()
    for record_hash, change in sorted(places_between(old_root, new_root, record).items()):
        if change == 0:
            continue
        stale = stale_since(table, _STALE, record_hash) is not None
        counted = table.get(_COUNTS + record_hash)
        if counted is not None:
            places = int.from_bytes(counted, "big")
        else:
            places = 0 if stale or (change > 0 and stored.get(record_hash) is None) else 1
        places += change
        if places <= 0:
            gone.append(record_hash)
            table.delete(_COUNTS + record_hash)
            continue
        if change > 0:
            added.add(record_hash)
        if stale:
            mark_needed(table, _STALE, record_hash)
        if places > 1:
            table.put(_COUNTS + record_hash, places.to_bytes(8, "big"))
        elif counted is not None:
            table.delete(_COUNTS + record_hash)
    if version is not None:
        mark_stale(table, _STALE, version, gone)
    return added


def forget_evm_versions(
    batch: KeyValueWriter, store: KeyValueReader, newest: int, target: int, newest_root: bytes, target_root: bytes
) -> None:
    """Take back the versions above `target` in the counts.

    What only they had stays on disk, counted as if it were needed.

    Raises:
        StateDamaged: a record between the two states is missing.
    """
    if not counts_places(store):
        return
    _count_places(batch, store, WriteBatch(store), None, newest_root, target_root)
    for version in range(target + 1, newest + 1):
        forget_stale(WritableTable(batch, EVM_PRUNING_TABLE), _STALE, version)


def prune_evm_version(batch: KeyValueWriter, version: int) -> int:
    """Delete what no version from `version` + 1 on needs; the number of rows."""
    doomed = take_stale(WritableTable(batch, EVM_PRUNING_TABLE), _STALE, version + 1)
    records = WritableTable(batch, EVM_TABLE)
    for record_hash in doomed:
        records.delete(record_hash)
    return len(doomed)


class PlaceFilter:
    """For a walk over a whole state: rows that keep for ever what may stand in it twice. 16 MiB, and now and then a false alarm."""

    def __init__(self) -> None:
        self._bits = bytearray(_FILTER_BITS // 8)

    def row(self, item: StateItem, record_hash: bytes) -> tuple[bytes, bytes] | None:
        """A row that keeps the record for ever, where the walk may have met it before; None for a first time.

        Codes are met once by a walk however many accounts have them, so each gets the row.
        """
        if self._met(record_hash) or item is StateItem.CODE:
            return EVM_PRUNING_TABLE + _COUNTS + record_hash, _FOR_EVER.to_bytes(8, "big")
        return None

    def _met(self, record_hash: bytes) -> bool:
        bits, met = self._bits, True
        for start in (0, 8, 16):
            at = int.from_bytes(record_hash[start : start + 8], "big") % _FILTER_BITS
            if not bits[at >> 3] >> (at & 7) & 1:
                met = False
                bits[at >> 3] |= 1 << (at & 7)
        return met
