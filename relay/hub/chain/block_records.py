"""CometBFT's records of each height in the node's database: block, seen commit, results, validators."""

from dataclasses import dataclass

import rlp

from hutong.light_clients.tendermint.codec import (
    decode_commit,
    decode_header,
    decode_validator_set,
    encode_commit,
    encode_header,
    encode_validator_set,
)
from hutong.light_clients.tendermint.types import (
    BlockId,
    Commit,
    Header,
    KeyType,
    PartSetHeader,
    PublicKey,
    ValidatorSet,
)
from hutong.relay.evm.store.database import KeyValueReader, KeyValueWriter, Table, WritableTable
from hutong.relay.hub.application.abci import ExecTxResult, ValidatorUpdate
from hutong.relay.hub.consensus.blocks import block_id_of, decode_block, encode_block
from hutong.relay.hub.consensus.types import Block

BLOCKS = b"hub-blocks/"
HEADERS = b"hub-bodiless/"
"""Of blocks whose bodies are pruned: RLP of header, and hash, total and hash of the block id."""
COMMITS = b"hub-commits/"
RESULTS = b"hub-results/"
VALIDATORS = b"hub-validators/"
HEIGHTS_BY_HASH = b"hub-heights/"
REVISION = b"hub-revision/"
"""The one key `genesis`: digest of the genesis under which the newest revision began here, where that is a later one."""
_GENESIS = b"genesis"


@dataclass(frozen=True, slots=True)
class BlockResults:
    """What execution said; `app_hash` is the state's root after the block, in the next header."""

    tx_results: tuple[ExecTxResult, ...]
    app_hash: bytes
    validator_updates: tuple[ValidatorUpdate, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredBlock:
    block: Block
    block_id: BlockId


@dataclass(frozen=True, slots=True)
class StoredHeader:
    header: Header
    block_id: BlockId


def _key(height: int) -> bytes:
    return height.to_bytes(8, "big")


class BlockRecords:
    """Reads by height; None where the height is not stored."""

    def __init__(self, store: KeyValueReader) -> None:
        self._blocks = Table(store, BLOCKS)
        self._headers = Table(store, HEADERS)
        self._commits = Table(store, COMMITS)
        self._results = Table(store, RESULTS)
        self._validators = Table(store, VALIDATORS)
        self._heights = Table(store, HEIGHTS_BY_HASH)
        self._revision = Table(store, REVISION)

    def latest_height(self) -> int:
        """The newest block that is stored whole, 0 before the first block."""
        last = self._blocks.last()
        return 0 if last is None else int.from_bytes(last[0], "big")

    def first_height(self) -> int:
        """The lowest block of which at least the header is stored, 0 where there is no block."""
        first = self._headers.next(b"") or self._blocks.next(b"")
        return 0 if first is None else int.from_bytes(first[0], "big")

    def first_body(self) -> int:
        """The lowest block that is stored with its transactions and results, 0 where there is no block."""
        first = self._blocks.next(b"")
        return 0 if first is None else int.from_bytes(first[0], "big")

    def block(self, height: int) -> StoredBlock | None:
        """The whole block of `height`; None where it is not stored, or its body is pruned."""
        raw = None if height < 0 else self._blocks.get(_key(height))
        if raw is None:
            return None
        block = decode_block(raw)
        return StoredBlock(block, block_id_of(block))

    def header(self, height: int) -> StoredHeader | None:
        """The header of `height` and its block id, also where the body is pruned; None where it is not stored."""
        raw = None if height < 0 else self._headers.get(_key(height))
        if raw is None:
            stored = self.block(height)
            return None if stored is None else StoredHeader(stored.block.header, stored.block_id)
        header, block_hash, parts, parts_hash = rlp.decode(raw)
        return StoredHeader(decode_header(header), BlockId(block_hash, PartSetHeader(_int(parts), parts_hash)))

    def body_bytes(self, height: int) -> int:
        """Bytes of the rows that hold the transactions and results of `height`, 0 where there are none.

        After `prune_body` a short row of the results is left, and counts.
        """
        key = _key(height)
        return sum(len(row) for row in (self._blocks.get(key), self._results.get(key)) if row is not None)

    def revision_genesis(self) -> bytes | None:
        """Digest (32 bytes) of the genesis of the later revision that was begun here, None where none was."""
        return self._revision.get(_GENESIS)

    def rules_version(self, height: int) -> int | None:
        """The version of the hub's rules by which the block of `height` was executed; None where it is not stored."""
        stored = self.header(height)
        return None if stored is None else stored.header.version_app

    def encoded_block(self, height: int) -> bytes | None:
        """The block's bytes as peers ask for them, not decoded; None where it is not stored whole."""
        return None if height < 0 else self._blocks.get(_key(height))

    def height_of(self, block_hash: bytes) -> int | None:
        """The height of the block with this 32-byte hash; None for an unknown hash, or bytes of another length."""
        raw = self._heights.get(block_hash) if len(block_hash) == 32 else None
        return None if raw is None else int.from_bytes(raw, "big")

    def commit(self, height: int) -> Commit | None:
        """A commit of the block at `height` with more than two thirds; None where it is not stored.

        The one that this node saw, which may differ from the one in the next block. Once the body of that next block is
        pruned, the commit in it takes this place.
        """
        raw = None if height < 0 else self._commits.get(_key(height))
        return None if raw is None else decode_commit(raw)

    def results(self, height: int) -> BlockResults | None:
        """What execution said of the block at `height`; None where it is not stored.

        Where the body is pruned `tx_results` is empty; app hash and validator updates stay.
        """
        raw = None if height < 0 else self._results.get(_key(height))
        if raw is None:
            return None
        # Rows of blocks without updates, all that older nodes wrote, end after the results.
        app_hash, items, *updates = rlp.decode(raw)
        return BlockResults(
            tuple(
                ExecTxResult(_int(code), data, log.decode(), _int(wanted), _int(used))
                for code, data, log, wanted, used in items
            ),
            app_hash,
            tuple(
                ValidatorUpdate(PublicKey(KeyType.SECP256K1, key), _int(power))
                for rows in updates
                for key, power in rows
            ),
        )

    def validators(self, height: int) -> ValidatorSet | None:
        """The set that votes on the block at `height`, with its priorities; stored two heights ahead.

        None where it is not stored.
        """
        raw = None if height < 0 else self._validators.get(_key(height))
        return None if raw is None else decode_validator_set(raw)


def _int(data: bytes) -> int:
    return int.from_bytes(data, "big")


def store_revision_genesis(batch: KeyValueWriter, digest: bytes) -> None:
    """Remember that the revision of the genesis with this 32-byte digest began here, in place of an earlier one."""
    WritableTable(batch, REVISION).put(_GENESIS, digest)


def store_validators(batch: KeyValueWriter, height: int, validators: ValidatorSet) -> None:
    """Write the set that votes on the block at `height`, in place of what was there; no check of any kind."""
    WritableTable(batch, VALIDATORS).put(_key(height), encode_validator_set(validators))


def store_block_records(
    batch: KeyValueWriter, block: Block, block_id: BlockId, commit: Commit, results: BlockResults
) -> None:
    """Everything of one height but its validators, which were stored two heights before.

    `block_id` and `commit` must be those of `block`: nothing is checked.
    """
    key = _key(block.header.height)
    WritableTable(batch, BLOCKS).put(key, encode_block(block))
    WritableTable(batch, COMMITS).put(key, encode_commit(commit))
    WritableTable(batch, HEIGHTS_BY_HASH).put(block_id.hash, key)
    items = [[item.code, item.data, item.log.encode(), item.gas_wanted, item.gas_used] for item in results.tx_results]
    updates = [[update.public_key.data, update.power] for update in results.validator_updates]
    row = [results.app_hash, items, updates] if updates else [results.app_hash, items]
    WritableTable(batch, RESULTS).put(key, rlp.encode(row))


def prune_body(batch: KeyValueWriter, records: BlockRecords, height: int) -> None:
    """Delete transactions, evidence and results of one height; nothing happens where they are not stored.

    Header, commit and validators stay, which light clients and the judges of evidence need.
    """
    key = _key(height)
    stored, results = records.block(height), records.results(height)
    if stored is None or results is None:
        return
    block_id = stored.block_id
    row = [
        encode_header(stored.block.header),
        block_id.hash,
        block_id.part_set_header.total,
        block_id.part_set_header.hash,
    ]
    WritableTable(batch, HEADERS).put(key, rlp.encode(row))
    WritableTable(batch, BLOCKS).delete(key)
    if records.commit(height - 1) is not None:
        # The canonical commit of a block is the one in the next block, which goes now; the one that was seen may be another.
        WritableTable(batch, COMMITS).put(_key(height - 1), encode_commit(stored.block.last_commit))
    updates = [[update.public_key.data, update.power] for update in results.validator_updates]
    kept = [results.app_hash, [], updates] if updates else [results.app_hash, []]
    WritableTable(batch, RESULTS).put(key, rlp.encode(kept))


def prune_block_records(batch: KeyValueWriter, records: BlockRecords, height: int) -> None:
    """Delete everything of one height, its validators and the row that finds it by hash included."""
    key = _key(height)
    stored = records.header(height)
    if stored is not None:
        WritableTable(batch, HEIGHTS_BY_HASH).delete(stored.block_id.hash)
    for table in (BLOCKS, HEADERS, COMMITS, RESULTS, VALIDATORS):
        WritableTable(batch, table).delete(key)
