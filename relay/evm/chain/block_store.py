"""Blocks, receipts and their indexes in a table of the node's database.

A node may begin at a block whose state it was given: of that block it has the header but neither transactions nor
receipts, and of those before it only hashes, for BLOCKHASH.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import rlp
from rlp.codec import encode_raw

from hutong.relay.evm.chain.blocks import EvmBlock, EvmHeader, LocatedTransaction, Receipt
from hutong.relay.evm.chain.log_index import LogIndex, index_logs, prune_logs
from hutong.relay.evm.store.database import KeyValueReader, KeyValueWriter, Table, WritableTable
from hutong.relay.evm.vm.outcomes import Log
from hutong.relay.evm.vm.transaction import decode_cached

TABLE_PREFIX = b"evm-blocks/"
_BLOCK = b"b"  # BE8 number -> block
_RECEIPTS = b"r"  # BE8 number -> receipts
_NUMBER = b"h"  # block hash -> BE8 number
_LOCATION = b"t"  # transaction hash -> BE8 number, BE4 index
_ANCESTOR = b"a"  # BE8 number -> hash of a block that is not stored
_RESTORED = b"s"  # the one key _RESTORED_KEY -> BE8 number, hash of the next block
_RESTORED_KEY = b"0"
_FIRST_BODY_KEY = b"1"  # in the same table -> BE8 number of the first block whose body is not pruned


@dataclass(frozen=True, slots=True)
class Restored:
    """Where a node began: after block `number`, and with what block `number` + 1 must hash to."""

    number: int
    next_hash: bytes


class BlockStore:
    """Reads. Blocks are final when stored: there is one per number."""

    def __init__(self, reader: KeyValueReader, chain_id: int) -> None:
        self._chain_id = chain_id
        self._blocks = Table(reader, TABLE_PREFIX + _BLOCK)
        self._receipts = Table(reader, TABLE_PREFIX + _RECEIPTS)
        self._numbers = Table(reader, TABLE_PREFIX + _NUMBER)
        self._locations = Table(reader, TABLE_PREFIX + _LOCATION)
        self._ancestors = Table(reader, TABLE_PREFIX + _ANCESTOR)
        self._restored = Table(reader, TABLE_PREFIX + _RESTORED)
        self.log_index = LogIndex(reader)

    def head_number(self) -> int | None:
        """The newest block's number, a restored node's first one included; None in an empty store."""
        last = self._blocks.last()
        return int.from_bytes(last[0], "big") if last else None

    def head(self) -> EvmBlock | None:
        """The newest block; None in an empty store.

        A restored node that has made no block since gives the block that it began with, without its transactions.
        """
        last = self._blocks.last()
        return self._decode_block(last[1]) if last else None

    def first(self) -> EvmBlock | None:
        """The oldest block with its transactions; None where there is none yet."""
        return self.block(self.first_number())

    def first_number(self) -> int:
        """The number of `first`, which may be yet to come. Numbers below it are not served.

        It is the greatest of three: the lowest stored number, the one after a restored block, and the first whose body
        is
        not pruned. 0 in an empty store.
        """
        entry = self._blocks.next(b"")
        first = int.from_bytes(entry[0], "big") if entry else 0
        restored, body = self.restored(), self._restored.get(_FIRST_BODY_KEY)
        least = 0 if restored is None else restored.number + 1
        return max(first, least, 0 if body is None else int.from_bytes(body, "big"))

    def restored(self) -> Restored | None:
        """Where a restored node began; None where the node has every block from the first."""
        raw = self._restored.get(_RESTORED_KEY)
        return None if raw is None else Restored(int.from_bytes(raw[:8], "big"), raw[8:])

    def hash_of(self, number: int) -> bytes | None:
        """The 32-byte hash of a block, also of blocks before the restored one, as far down as BLOCKHASH reached there.

        None for any other number, a negative one included.
        """
        found = self.header(number)
        if found is not None:
            return found[0]
        return self._ancestors.get(number.to_bytes(8, "big")) if 0 <= number < 2**64 else None

    def block(self, number: int) -> EvmBlock | None:
        """A whole block with its transactions decoded; None for a number that is not stored, a negative one included.

        Of a block whose body was pruned, or of a restored one, it has the header and no transactions: ask
        `first_number`.
        """
        if not 0 <= number < 2**64:
            return None
        encoded = self._blocks.get(number.to_bytes(8, "big"))
        return None if encoded is None else self._decode_block(encoded)

    def header(self, number: int) -> tuple[bytes, EvmHeader] | None:
        """Hash and header, without decoding the transactions; None for a number that is not stored."""
        encoded = self._blocks.get(number.to_bytes(8, "big")) if 0 <= number < 2**64 else None
        if encoded is None:
            return None
        block_hash, header, _ = rlp.decode(encoded)
        return block_hash, _decode_header(header)

    def raw_transactions(self, number: int) -> list[bytes] | None:
        """The signed encodings in the block's order, not decoded: a sender costs a signature recovery.

        Empty where the body was pruned; None for a number that is not stored.
        """
        encoded = self._blocks.get(number.to_bytes(8, "big")) if 0 <= number < 2**64 else None
        if encoded is None:
            return None
        raw: list[bytes] = rlp.decode(encoded)[2]
        return raw

    def body_bytes(self, number: int) -> int:
        """Bytes of the block's record and its receipts as they are stored; their indexes take some more.

        0 where nothing is stored. `number` must be below 2**64.
        """
        key = number.to_bytes(8, "big")
        return sum(len(row) for row in (self._blocks.get(key), self._receipts.get(key)) if row is not None)

    def number_of(self, block_hash: bytes) -> int | None:
        """The number of the stored block with this hash.

        Returns:
            None where there is none: of a restored node's ancestors only number → hash is kept.
        """
        number = self._numbers.get(block_hash)
        return None if number is None else int.from_bytes(number, "big")

    def block_by_hash(self, block_hash: bytes) -> EvmBlock | None:
        """As `block`, by its 32-byte hash."""
        number = self.number_of(block_hash)
        return None if number is None else self.block(number)

    def receipts(self, number: int) -> tuple[Receipt, ...] | None:
        """Receipts in the order of the block's transactions; None where they are not stored, as after pruning."""
        encoded = self._receipts.get(number.to_bytes(8, "big")) if 0 <= number < 2**64 else None
        return None if encoded is None else _decode_receipts(encoded)

    def locate(self, transaction_hash: bytes) -> LocatedTransaction | None:
        """Where a transaction stands, by its 32-byte hash.

        Returns:
            None where no stored block has it: it may wait in the pool, or its block's body was pruned.
        """
        location = self._locations.get(transaction_hash)
        if location is None:
            return None
        block = self.block(int.from_bytes(location[:8], "big"))
        return None if block is None else LocatedTransaction(block, int.from_bytes(location[8:], "big"))

    def _decode_block(self, encoded: bytes) -> EvmBlock:
        return _decode_block(encoded, self._chain_id)


@functools.lru_cache(maxsize=64)
def _decode_block(encoded: bytes, chain_id: int) -> EvmBlock:
    """Remembered by content: clients ask for the newest blocks, and every sender costs a signature recovery."""
    block_hash, header, transactions = rlp.decode(encoded)
    return EvmBlock(
        hash=block_hash,
        header=_decode_header(header),
        transactions=tuple(decode_cached(raw, chain_id) for raw in transactions),
    )


@functools.lru_cache(maxsize=16)
def _decode_receipts(encoded: bytes) -> tuple[Receipt, ...]:
    """Remembered by content: of a new block clients ask for logs and for each transaction's receipt."""
    return tuple(_decode_receipt(item) for item in rlp.decode(encoded))


def store_block(writer: KeyValueWriter, block: EvmBlock, receipts: tuple[Receipt, ...]) -> None:
    """Write the block, its receipts and indexes to the block's batch.

    Called once for each block, with receipts in the order of its transactions. Neither roots nor order of heights are
    checked here: the caller has executed the block.
    """
    number = block.number.to_bytes(8, "big")
    encoded_block = rlp.encode([block.hash, _encode_header(block.header), [item.raw for item in block.transactions]])
    WritableTable(writer, TABLE_PREFIX + _BLOCK).put(number, encoded_block)
    WritableTable(writer, TABLE_PREFIX + _RECEIPTS).put(
        number, encode_raw([_encode_receipt(item) for item in receipts])
    )
    WritableTable(writer, TABLE_PREFIX + _NUMBER).put(block.hash, number)
    index_logs(writer, block.number, receipts)
    locations = WritableTable(writer, TABLE_PREFIX + _LOCATION)
    for index, transaction in enumerate(block.transactions):
        locations.put(transaction.hash, number + index.to_bytes(4, "big"))


def store_restored_block(
    writer: KeyValueWriter, block: EvmBlock, ancestors: Mapping[int, bytes], next_hash: bytes
) -> None:
    """Let an empty store begin after `block`, which is given without transactions.

    Args:
        ancestors: number → 32-byte hash of blocks before it, which BLOCKHASH can ask for.
        next_hash: what block `block.number` + 1 must hash to; 32 bytes.
    """
    number = block.number.to_bytes(8, "big")
    encoded_block = rlp.encode([block.hash, _encode_header(block.header), []])
    WritableTable(writer, TABLE_PREFIX + _BLOCK).put(number, encoded_block)
    WritableTable(writer, TABLE_PREFIX + _NUMBER).put(block.hash, number)
    hashes = WritableTable(writer, TABLE_PREFIX + _ANCESTOR)
    for ancestor, block_hash in ancestors.items():
        hashes.put(ancestor.to_bytes(8, "big"), block_hash)
    WritableTable(writer, TABLE_PREFIX + _RESTORED).put(_RESTORED_KEY, number + next_hash)


def prune_block(writer: KeyValueWriter, blocks: BlockStore, number: int) -> None:
    """Take one block out with its receipts and indexes, and the hash of a restored node's ancestor of that number.

    Does nothing for a number that is not stored. `blocks` must read what the batch `writer` is over.
    """
    key = number.to_bytes(8, "big")
    block = blocks.block(number)
    if block is not None:
        WritableTable(writer, TABLE_PREFIX + _NUMBER).delete(block.hash)
        for transaction in block.transactions:
            WritableTable(writer, TABLE_PREFIX + _LOCATION).delete(transaction.hash)
        prune_logs(writer, number, blocks.receipts(number) or ())
    for table in (_BLOCK, _RECEIPTS, _ANCESTOR):
        WritableTable(writer, TABLE_PREFIX + table).delete(key)


def prune_body(writer: KeyValueWriter, blocks: BlockStore, number: int) -> None:
    """Take transactions, receipts and their indexes out of the oldest whole block; its header stays, which states need.

    Afterwards `first_number` is at least `number` + 1, so it must be called in ascending order. Does nothing for a
    number
    that is not stored.
    """
    block = blocks.block(number)
    if block is None:
        return
    key = number.to_bytes(8, "big")
    for transaction in block.transactions:
        WritableTable(writer, TABLE_PREFIX + _LOCATION).delete(transaction.hash)
    prune_logs(writer, number, blocks.receipts(number) or ())
    WritableTable(writer, TABLE_PREFIX + _RECEIPTS).delete(key)
    kept = rlp.encode([block.hash, _encode_header(block.header), []])
    WritableTable(writer, TABLE_PREFIX + _BLOCK).put(key, kept)
    WritableTable(writer, TABLE_PREFIX + _RESTORED).put(_FIRST_BODY_KEY, (number + 1).to_bytes(8, "big"))


def _encode_header(header: EvmHeader) -> list[bytes | int]:
    return header.fields()


def _decode_header(items: list[bytes]) -> EvmHeader:
    optional = items[15:]

    def integer(index: int) -> int | None:
        return int.from_bytes(optional[index], "big") if index < len(optional) else None

    def binary(index: int) -> bytes | None:
        return optional[index] if index < len(optional) else None

    return EvmHeader(
        parent_hash=items[0],
        ommers_hash=items[1],
        coinbase=items[2],
        state_root=items[3],
        transactions_root=items[4],
        receipts_root=items[5],
        logs_bloom=items[6],
        difficulty=int.from_bytes(items[7], "big"),
        number=int.from_bytes(items[8], "big"),
        gas_limit=int.from_bytes(items[9], "big"),
        gas_used=int.from_bytes(items[10], "big"),
        timestamp_s=int.from_bytes(items[11], "big"),
        extra_data=items[12],
        prev_randao=items[13],
        nonce=items[14],
        base_fee_wei=integer(0),
        withdrawals_root=binary(1),
        blob_gas_used=integer(2),
        excess_blob_gas=integer(3),
        parent_beacon_block_root=binary(4),
        requests_hash=binary(5),
    )


def _encode_receipt(receipt: Receipt) -> list[object]:
    return [
        _digits(receipt.type),
        _digits(receipt.success),
        _digits(receipt.cumulative_gas_used),
        [[log.address, log.topics, log.data] for log in receipt.logs],
        _digits(receipt.gas_used),
        _digits(receipt.effective_gas_price_wei),
        receipt.contract_address or b"",
    ]


def _digits(value: int) -> bytes:
    """As RLP writes a number: no leading zeros. `rlp.encode` finds out what each item is, which takes twice as long."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _decode_receipt(item: list[object]) -> Receipt:
    type_, success, cumulative, logs, gas_used, price, contract = item
    return Receipt(
        type=_integer(type_),
        success=bool(_integer(success)),
        cumulative_gas_used=_integer(cumulative),
        logs=tuple(Log(address, tuple(topics), data) for address, topics, data in logs),  # type: ignore[attr-defined]
        gas_used=_integer(gas_used),
        effective_gas_price_wei=_integer(price),
        contract_address=contract or None,  # type: ignore[arg-type]
    )


def _integer(item: object) -> int:
    assert isinstance(item, bytes)
    return int.from_bytes(item, "big")
