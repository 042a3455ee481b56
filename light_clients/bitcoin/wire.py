"""Bitcoin's own encodings: headers, transactions, partial Merkle trees. Canonical, bounded, total.

Sources: Bitcoin Core `primitives/{block,transaction}.h`, `serialize.h` (CompactSize), `merkleblock.h`; BIP37, BIP144.
"""

from collections.abc import Callable
from typing import TypeVar

from hutong.light_clients.bitcoin.types import (
    HEADER_BYTES,
    HEADER_LAYOUT,
    MAX_HEADERS,
    BlockHeader,
    MerkleBlock,
    OutPoint,
    PartialMerkleTree,
    Transaction,
    TransactionInput,
    TransactionOutput,
)
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import MalformedInput

ValueT = TypeVar("ValueT")

MAX_TRANSACTION_BYTES = 4_000_000
"""`MAX_BLOCK_WEIGHT`: no block holds a longer one."""
MAX_BLOCK_TRANSACTIONS = 16_666
"""`MAX_BLOCK_WEIGHT / MIN_TRANSACTION_WEIGHT` (4 000 000 / 240), the bound of a partial Merkle tree."""
MAX_MERKLE_BLOCK_BYTES = HEADER_BYTES + 16 + MAX_BLOCK_TRANSACTIONS * (HASH_BYTES + 1)
MAX_BLOCK_BYTES = 4_000_000
MIN_INPUT_BYTES = 41
MIN_OUTPUT_BYTES = 9
_WITNESS_MARKER = b"\x00\x01"


class Reader:
    """Reads from the front of bytes; every error names `field`."""

    __slots__ = ("_data", "_field", "position")

    def __init__(self, data: bytes, field: str) -> None:
        self._data = data
        self._field = field
        self.position = 0

    @property
    def left(self) -> int:
        """Bytes that were not taken yet."""
        return len(self._data) - self.position

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, or fewer at the end, which stay to be taken."""
        return self._data[self.position : self.position + size]

    def since(self, start: int) -> bytes:
        """The bytes taken from position `start` on."""
        return self._data[start : self.position]

    def take(self, size: int) -> bytes:
        """Exactly `size` bytes.

        Raises:
            MalformedInput: fewer are left.
        """
        if size > self.left:
            raise MalformedInput(self._field, "ends too early", got=self.left, expected=f">= {size} bytes")
        start, self.position = self.position, self.position + size
        return self._data[start : self.position]

    def uint(self, size: int) -> int:
        """An unsigned integer of `size` bytes, little-endian.

        Raises:
            MalformedInput: fewer bytes are left.
        """
        return int.from_bytes(self.take(size), "little")

    def compact_size(self) -> int:
        """A length in 1, 3, 5 or 9 bytes; only the shortest form.

        Raises:
            MalformedInput: cut off, or a longer form.
        """
        first = self.uint(1)
        if first < 0xFD:
            return first
        size = 2 << (first - 0xFD)
        value = self.uint(size)
        if value < (0xFD, 0x1_0000, 0x1_0000_0000)[first - 0xFD]:
            raise MalformedInput(self._field, "a length is not in its shortest form", got=value)
        return value

    def counted_bytes(self) -> bytes:
        """Bytes that follow their length.

        Raises:
            MalformedInput: the length is malformed, or more than what is left.
        """
        return self.take(self.compact_size())

    def counted(self, item: Callable[[], ValueT], min_item_bytes: int) -> tuple[ValueT, ...]:
        """A list that follows its count. A count that the bytes left cannot hold is refused before anything is read.

        `min_item_bytes` is the least that `item` takes.

        Raises:
            MalformedInput: too high a count, or what `item` refuses.
        """
        count = self.compact_size()
        if count * min_item_bytes > self.left:
            raise MalformedInput(self._field, "counts more items than there are bytes for", got=count)
        return tuple(item() for _ in range(count))

    def end(self) -> None:
        """Nothing may be left.

        Raises:
            MalformedInput: trailing bytes.
        """
        if self.left:
            raise MalformedInput(self._field, "has trailing bytes", got=self.left)


def compact_size(value: int) -> bytes:
    """The shortest form of a length below 2^64.

    Raises:
        ValueError: a greater one; a bug of the caller.
    """
    if value < 0xFD:
        return bytes([value])
    for marker, size in ((0xFD, 2), (0xFE, 4), (0xFF, 8)):
        if value >> 8 * size == 0:
            return bytes([marker]) + value.to_bytes(size, "little")
    raise ValueError(value)


def _read_header(reader: Reader) -> BlockHeader:
    return BlockHeader(*HEADER_LAYOUT.unpack(reader.take(HEADER_BYTES)))


def decode_block_header(data: bytes, field: str = "header") -> BlockHeader:
    """Any 80 bytes are one: no rule is judged.

    Raises:
        MalformedInput: another length.
    """
    if len(data) != HEADER_BYTES:
        raise MalformedInput(field, "a header has 80 bytes", got=len(data), expected=HEADER_BYTES)
    return _read_header(Reader(data, field))


def decode_headers(data: bytes, field: str = "headers", most: int = MAX_HEADERS) -> tuple[BlockHeader, ...]:
    """Headers one after the other, 1 to `most`; whether they are linked is not judged.

    Raises:
        MalformedInput: no header, too many, or a part of one.
    """
    if not data or len(data) % HEADER_BYTES:
        raise MalformedInput(field, "not one or more headers of 80 bytes", got=len(data))
    if len(data) // HEADER_BYTES > most:
        raise MalformedInput(field, f"more than {most} headers", got=len(data) // HEADER_BYTES)
    return tuple(BlockHeader(*fields) for fields in HEADER_LAYOUT.iter_unpack(data))


def encode_headers(headers: tuple[BlockHeader, ...]) -> bytes:
    """Inverse of `decode_headers`."""
    return b"".join(header.encode() for header in headers)


def _read_input(reader: Reader) -> TransactionInput:
    return TransactionInput(OutPoint(reader.take(HASH_BYTES), reader.uint(4)), reader.counted_bytes(), reader.uint(4))


def _read_output(reader: Reader) -> TransactionOutput:
    return TransactionOutput(reader.uint(8), reader.counted_bytes())


def read_inputs(reader: Reader) -> tuple[TransactionInput, ...]:
    """At least one: a transaction without inputs is in no block.

    Raises:
        MalformedInput: an empty list, or one that is cut off.
    """
    inputs = reader.counted(lambda: _read_input(reader), MIN_INPUT_BYTES)
    if not inputs:
        raise MalformedInput("inputs", "a transaction spends at least one output")
    return inputs


def read_outputs(reader: Reader) -> tuple[TransactionOutput, ...]:
    """At least one; values and scripts are not judged.

    Raises:
        MalformedInput: an empty list, or one that is cut off.
    """
    outputs = reader.counted(lambda: _read_output(reader), MIN_OUTPUT_BYTES)
    if not outputs:
        raise MalformedInput("outputs", "a transaction has at least one output")
    return outputs


def _read_transaction(reader: Reader, field: str, *, with_witness: bool) -> Transaction:
    start = reader.position
    version = int.from_bytes(reader.take(4), "little", signed=True)
    has_witness = reader.peek(2) == _WITNESS_MARKER
    if has_witness and not with_witness:
        raise MalformedInput(field, "carries a witness, which the txid does not hash: give it without")
    if has_witness:
        reader.take(2)
    body_start = reader.position
    inputs, outputs = read_inputs(reader), read_outputs(reader)
    body = reader.since(body_start)
    if has_witness:
        witnesses = [reader.counted(reader.counted_bytes, 1) for _ in inputs]
        if not any(witnesses):
            raise MalformedInput(field, "is marked to carry a witness and has none")
    lock_time = reader.uint(4)
    serialized = reader.since(start)
    if has_witness:
        serialized = serialized[:4] + body + lock_time.to_bytes(4, "little")
    return Transaction(version, inputs, outputs, lock_time, serialized)


def decode_transaction(
    data: bytes, field: str = "transaction", *, with_witness: bool = False, max_bytes: int = MAX_TRANSACTION_BYTES
) -> Transaction:
    """The whole of `data`. `with_witness` also takes the form with witnesses (BIP144), and leaves them out.

    Raises:
        MalformedInput: too long, not a transaction, trailing bytes, or a witness that is not taken.
    """
    if len(data) > max_bytes:
        raise MalformedInput(field, f"more than {max_bytes} bytes", got=len(data))
    reader = Reader(data, field)
    transaction = _read_transaction(reader, field, with_witness=with_witness)
    reader.end()
    return transaction


def decode_block(data: bytes, field: str = "block") -> tuple[BlockHeader, tuple[Transaction, ...]]:
    """A whole block, witnesses left out. Says nothing about whether it is valid, nor about its Merkle root.

    Raises:
        MalformedInput: more than `MAX_BLOCK_BYTES`, not a block, or trailing bytes.
    """
    if len(data) > MAX_BLOCK_BYTES:
        raise MalformedInput(field, f"more than {MAX_BLOCK_BYTES} bytes", got=len(data))
    reader = Reader(data, field)
    header = _read_header(reader)
    transactions = reader.counted(
        lambda: _read_transaction(reader, field, with_witness=True), 8 + MIN_INPUT_BYTES + MIN_OUTPUT_BYTES
    )
    reader.end()
    return header, transactions


def decode_merkle_block(data: bytes, field: str = "merkleblock") -> MerkleBlock:
    """A `merkleblock` payload or a `gettxoutproof` answer, the tree still unjudged.

    Raises:
        MalformedInput: more than `MAX_MERKLE_BLOCK_BYTES`, cut off, or trailing bytes.
    """
    if len(data) > MAX_MERKLE_BLOCK_BYTES:
        raise MalformedInput(field, f"more than {MAX_MERKLE_BLOCK_BYTES} bytes", got=len(data))
    reader = Reader(data, field)
    header = _read_header(reader)
    transactions = reader.uint(4)
    hashes = reader.counted(lambda: reader.take(HASH_BYTES), HASH_BYTES)
    packed = reader.counted_bytes()
    reader.end()
    flags = tuple(bool(byte >> bit & 1) for byte in packed for bit in range(8))
    return MerkleBlock(header, PartialMerkleTree(transactions, hashes, flags))


def encode_merkle_block(block: MerkleBlock) -> bytes:
    """Inverse of `decode_merkle_block`, flags filled up to whole bytes."""
    tree = block.tree
    packed = bytearray((len(tree.flags) + 7) // 8)
    for index, flag in enumerate(tree.flags):
        packed[index // 8] |= flag << index % 8
    return (
        block.header.encode()
        + tree.transactions.to_bytes(4, "little")
        + compact_size(len(tree.hashes))
        + b"".join(tree.hashes)
        + compact_size(len(packed))
        + bytes(packed)
    )
