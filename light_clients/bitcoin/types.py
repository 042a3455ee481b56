"""Values of the bitcoin client. Hashes are in internal byte order (as hashed and sent), reversed only when shown."""

from dataclasses import dataclass, replace
from struct import Struct
from typing import Self

from hutong.light_clients.bitcoin.networks import MEDIAN_TIME_SPAN, RETARGET_INTERVAL, Network, parameters_of
from hutong.light_clients.crypto import sha256
from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MalformedInput
from hutong.light_clients.interface.height import MAX_UINT64

HEADER_LAYOUT = Struct("<i32s32sIII")
HEADER_BYTES = HEADER_LAYOUT.size
MAX_UINT32 = 2**32 - 1
MAX_SCRIPT_BYTES = 10_000
"""`MAX_SCRIPT_SIZE`: a longer script can never be spent."""
MAX_CONFIRMATION_DEPTH = 1_008
"""A week. Enough for anybody, and the confirmations still fit a message beside the headers that they confirm."""
MAX_HEIGHT = MAX_UINT32
MAX_HEADERS = 2 * RETARGET_INTERVAL
"""Of one update: four weeks of blocks, 315 KiB."""


def hash256(data: bytes) -> bytes:
    """SHA-256 twice, Bitcoin's hash of headers, transactions and tree nodes."""
    return sha256(sha256(data))


def display(block_hash: bytes) -> str:
    """A hash as nodes show it: reversed, in hex."""
    return block_hash[::-1].hex()


def _sized(value: bytes, field: str) -> None:
    if len(value) != HASH_BYTES:
        raise MalformedInput(field, f"must be {HASH_BYTES} bytes", got=value)


def _within(value: int, field: str, least: int, most: int) -> None:
    if not least <= value <= most:
        raise MalformedInput(field, f"must be {least} to {most}", got=value)


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """80 bytes. `version` is signed as in Bitcoin Core, `bits` the target in compact form."""

    version: int
    previous_block_hash: bytes
    merkle_root: bytes
    time_s: int
    bits: int
    nonce: int

    def encode(self) -> bytes:
        """Wire form, 80 bytes, integers little-endian."""
        return HEADER_LAYOUT.pack(
            self.version, self.previous_block_hash, self.merkle_root, self.time_s, self.bits, self.nonce
        )

    @property
    def block_hash(self) -> bytes:
        """32 bytes in internal order; hashed anew at every call."""
        return hash256(self.encode())


@dataclass(frozen=True, slots=True)
class ConsensusState:
    """A block, and all of its ancestors that the rules over the next headers read.

    `chainwork` is the work of the chain up to and with this block. `regular_bits` are the bits of the last block of the
    period that did not take the least difficulty of test networks; on mainnet they are `bits`. `recent_times_s` are the
    times of the last 11 blocks (fewer near genesis), this one last.
    """

    height: int
    block_hash: bytes
    chainwork: int
    bits: int
    regular_bits: int
    period_first_bits: int
    period_first_time_s: int
    recent_times_s: tuple[int, ...]

    def __post_init__(self) -> None:
        _within(self.height, "consensus_state.height", 0, MAX_HEIGHT)
        _sized(self.block_hash, "consensus_state.block_hash")
        if not any(self.block_hash):
            raise MalformedInput("consensus_state.block_hash", "must not be zero")
        _within(self.chainwork, "consensus_state.chainwork", 1, 2**256 - 1)
        for name in ("bits", "regular_bits", "period_first_bits"):
            _within(getattr(self, name), f"consensus_state.{name}", 1, MAX_UINT32)
        _within(self.period_first_time_s, "consensus_state.period_first_time_s", 0, MAX_UINT32)
        expected = min(MEDIAN_TIME_SPAN, self.height + 1)
        if len(self.recent_times_s) != expected:
            raise MalformedInput(
                "consensus_state.recent_times_s",
                "not the times of the last blocks",
                got=len(self.recent_times_s),
                expected=expected,
            )
        _within(min(self.recent_times_s), "consensus_state.recent_times_s", 0, MAX_UINT32)
        _within(max(self.recent_times_s), "consensus_state.recent_times_s", 0, MAX_UINT32)
        if not self.median_time_past_s:
            raise MalformedInput("consensus_state.recent_times_s", "the median time must not be zero")

    @property
    def time_s(self) -> int:
        """The block's own time, which may be before its parent's."""
        return self.recent_times_s[-1]

    @property
    def median_time_past_s(self) -> int:
        """Median time of the last 11 blocks, this one included (BIP113). It never goes back along a chain."""
        return sorted(self.recent_times_s)[len(self.recent_times_s) // 2]

    @property
    def timestamp_ns(self) -> int:
        """The chain's clock: median time past, as for locktimes, in nanoseconds since 1970."""
        return self.median_time_past_s * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class ClientState:
    """Parameters and progress. `network`, `publisher_script` and `confirmation_depth` never change.

    `publisher_script` is the output script whose owner speaks for this chain's side (the router of a chain without
    contracts). `confirmation_depth` counts the block itself. `best_chainwork` is the work of the heaviest chain that
    was shown, confirmations included.
    """

    network: Network
    publisher_script: bytes
    confirmation_depth: int
    trusting_period_s: int
    latest_height: Height
    best_chainwork: int
    is_frozen: bool = False

    def __post_init__(self) -> None:
        parameters_of(self.network)
        if not 0 < len(self.publisher_script) <= MAX_SCRIPT_BYTES:
            raise MalformedInput(
                "client_state.publisher_script",
                f"must be 1 to {MAX_SCRIPT_BYTES} bytes",
                got=len(self.publisher_script),
            )
        _within(self.confirmation_depth, "client_state.confirmation_depth", 1, MAX_CONFIRMATION_DEPTH)
        _within(self.trusting_period_s, "client_state.trusting_period_s", 1, MAX_UINT64)
        height = self.latest_height
        if height.revision_number or not 0 < height.revision_height <= MAX_HEIGHT:
            raise MalformedInput(
                "client_state.latest_height", f"must be of revision 0, 1 to {MAX_HEIGHT}", got=str(height)
            )
        _within(self.best_chainwork, "client_state.best_chainwork", 1, 2**256 - 1)

    @property
    def trusting_period_ns(self) -> int:
        """`trusting_period_s` in the unit of the shared rules."""
        return self.trusting_period_s * NANOSECONDS_PER_SECOND

    def frozen(self) -> Self:
        """A copy with misbehaviour on record: no header or proof is judged under it any more."""
        return replace(self, is_frozen=True)


@dataclass(frozen=True, slots=True)
class Header:
    """An update: a run of headers from the child of the block at `trusted_height` to a tip.

    The block to believe is the one at `height`; those above it confirm it.
    """

    trusted_height: Height
    height: Height
    headers: tuple[BlockHeader, ...]

    @property
    def tip_height(self) -> int:
        """The height of the last header, by their number; whether they are linked is judged elsewhere."""
        return self.trusted_height.revision_height + len(self.headers)


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """Two runs of headers that confirm different blocks at one height."""

    header_1: Header
    header_2: Header


@dataclass(frozen=True, slots=True)
class OutPoint:
    """An output of an earlier transaction."""

    txid: bytes
    index: int

    @property
    def is_null(self) -> bool:
        """What the one input of a coinbase spends."""
        return self.index == MAX_UINT32 and not any(self.txid)


@dataclass(frozen=True, slots=True)
class TransactionInput:
    """`script` unlocks the output spent; witnesses are kept apart, since the txid does not commit to them."""

    spent: OutPoint
    script: bytes
    sequence: int


@dataclass(frozen=True, slots=True)
class TransactionOutput:
    value_sat: int
    script: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    """Without witness. `serialized` are the bytes that the txid hashes."""

    version: int
    inputs: tuple[TransactionInput, ...]
    outputs: tuple[TransactionOutput, ...]
    lock_time: int
    serialized: bytes

    @property
    def txid(self) -> bytes:
        """32 bytes in internal order; no witness is hashed. Hashed anew at every call."""
        return hash256(self.serialized)

    @property
    def is_coinbase(self) -> bool:
        """Whether its one input spends the null output, as the first transaction of a block does."""
        return len(self.inputs) == 1 and self.inputs[0].spent.is_null


@dataclass(frozen=True, slots=True)
class PartialMerkleTree:
    """BIP37: `hashes` and `flags` in depth-first order over a tree of `transactions` leaves."""

    transactions: int
    hashes: tuple[bytes, ...]
    flags: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class MerkleBlock:
    """A `merkleblock` message, which is also what `gettxoutproof` answers."""

    header: BlockHeader
    tree: PartialMerkleTree


@dataclass(frozen=True, slots=True)
class MerkleBranch:
    """Sibling hashes from the leaf up, for the leaf at `index` of its level."""

    index: int
    siblings: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class MembershipProof:
    """That a message stands in a transaction below the block of a consensus state.

    `headers` lead from the block that holds the transaction to the state's own block, both included. `funding` is the
    transaction whose output input `input_index` spends.
    """

    headers: tuple[BlockHeader, ...]
    transaction: Transaction
    branch: MerkleBranch
    output_index: int
    input_index: int
    funding: Transaction
    coinbase: Transaction
    coinbase_siblings: tuple[bytes, ...]
